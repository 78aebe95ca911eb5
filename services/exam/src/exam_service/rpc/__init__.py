"""The gRPC side: translate, call a use case, translate back."""
