"""gRPC between services: servers that trust no one by default, clients that keep deadlines."""
