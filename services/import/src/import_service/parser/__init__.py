"""Reading workbooks, in a process of its own with limits."""
