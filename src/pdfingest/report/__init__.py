"""What earlier runs cost, file by file: figures, pictures, CSV, JSON, JUnit XML."""
