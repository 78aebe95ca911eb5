"""The public API against its promises."""
