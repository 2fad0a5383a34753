"""CBOR as CloudWatch speaks it, by botocore's own reader and writer: Smithy's RPC v2
(https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html)."""
import datetime

from botocore.parsers import RpcV2CBORParser
from botocore.serialize import RpcV2CBORSerializer
from botocore.model import ShapeResolver

READER, WRITER = RpcV2CBORParser(), RpcV2CBORSerializer()
ERROR = ShapeResolver({
    "Error": {"type": "structure", "members": {"__type": {"shape": "Text"}, "message": {"shape": "Text"}}},
    "Text": {"type": "string"},
}).get_shape_by_name("Error")


def plain(value):
    """Times as seconds since 1970, as JSON would have them."""
    if isinstance(value, datetime.datetime):
        return value.timestamp()
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return value


def read(raw):
    return plain(READER.parse_data_item(READER.get_peekable_stream_from_bytes(raw))) if raw else {}


def write(value, shape):
    data = bytearray()
    WRITER._serialize_data_item(data, value, shape)
    return bytes(data)


def error(code, message):
    return write({"__type": code, "message": message}, ERROR)
