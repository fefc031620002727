"""The parent, in the order of the flow: discover, plan, supervise lanes, write what comes back."""
