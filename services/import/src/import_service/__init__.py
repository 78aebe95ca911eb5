"""The import service: the only way in for content and bulk-created students."""
