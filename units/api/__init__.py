"""The interface for programs that work with the inventory: records, forms, criteria, what-if, statistics."""
