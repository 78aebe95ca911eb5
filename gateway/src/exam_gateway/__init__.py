"""The API gateway: REST and server-sent events outside, gRPC inside. No database, no business rule."""
