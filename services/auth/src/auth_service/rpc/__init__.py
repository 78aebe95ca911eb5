"""The gRPC services of auth: translate, call a use case, translate."""
