"""A till in the terminal, as somebody behind the bar would use one."""
