"""The one library that all services share. It knows no exam words."""

import os

# For gRPC's C core, before it is first imported. Else it runs handlers of its own in each child, between fork
# and exec, where a lock that another thread held is never released (grpc issue 22624): the child hangs, and
# with it the event loop that waits for its exec. Our children are other programs, and never use gRPC.
os.putenv("GRPC_ENABLE_FORK_SUPPORT", "0")
