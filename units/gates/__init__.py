"""The gates that the steps of the workflow have to pass, a module a register."""
