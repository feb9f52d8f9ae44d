"""What runs behind gRPC? grpcio's asyncio server with one method."""

import asyncio
import os
import sys
import threading
from pathlib import Path

import grpc

sys.path.insert(0, str(Path(__file__).parent))
messages, services = grpc.protos_and_services("echo.proto")


class Echo(services.EchoServicer):
    """Gives the text back."""

    async def Say(self, request, context):
        """Give the text back."""
        return messages.Text(text=request.text)


def end_with_stdin():
    """End when whoever started us is gone."""
    sys.stdin.buffer.read()
    os._exit(0)


async def serve():
    """Listen until the end of stdin."""
    server = grpc.aio.server()
    services.add_EchoServicer_to_server(Echo(), server)
    server.add_insecure_port(sys.argv[1])
    await server.start()
    print("listening", flush=True)
    await server.wait_for_termination()


threading.Thread(target=end_with_stdin, daemon=True).start()
asyncio.run(serve())
