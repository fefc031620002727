"""What crosses between parent and child: answers, notes, spools, records."""
