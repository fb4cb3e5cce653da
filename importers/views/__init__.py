"""The import page and what it asks for, one module each."""
