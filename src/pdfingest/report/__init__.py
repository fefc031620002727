"""What an earlier run cost, file by file: figures, pictures, CSV."""
