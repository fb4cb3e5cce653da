"""The checks: what they look at, what they tell, and how a night's findings are kept."""
