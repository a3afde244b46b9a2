"""TLS in front of a plain HTTP server: tls_front.py PORT CERTIFICATE KEY TARGET_HOST TARGET_PORT."""

import asyncio
import ssl
import sys


async def copy(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


async def main():
    port, certificate, key, host, target = sys.argv[1:]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    async def connected(reader, writer):
        there = await asyncio.open_connection(host, int(target))
        await asyncio.gather(copy(reader, there[1]), copy(there[0], writer))

    server = await asyncio.start_server(connected, "127.0.0.1", int(port), ssl=context)
    await server.serve_forever()


asyncio.run(main())
