"""gRPC: translate, call a use case, translate."""
