"""Judge land by dated text files of rules, each with its clause."""
