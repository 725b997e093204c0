"""Shared by the tests of Akamai: a window, the samples on the vendor's page, and a client."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from providers.akamai.client import Akamai
from providers.akamai.edgerc import EdgeGridCredentials
from providers.akamai.reports import ReportSettings
from providers.akamai.sandbox import AkamaiSandbox
from providers.models import Window
from providers.redaction import Secret

HOUR = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
WINDOW = Window(HOUR - timedelta(hours=6), HOUR)
SAMPLE_DATA = [
    {"clientId": "client3", "clientIp": "127.0.0.1", "clientOwner": "owner2", "clientToken": "token3", "method": "delete", "responseCode": "503", "timestamp": "2019-05-01T00:00:10Z", "uri": "example.com/static/html"},
    {"clientId": "client5", "clientIp": "127.0.0.1", "clientOwner": "owner1", "clientToken": "token2", "method": "patch", "responseCode": "500", "timestamp": "2019-05-01T00:00:25Z", "uri": "data.example.com/upload/file"},
    dict.fromkeys(("clientId", "clientIp", "clientOwner", "clientToken", "method", "responseCode", "timestamp", "uri"), "Other"),
    {"clientId": "client2", "clientIp": "0.0.0.0", "clientOwner": "owner2", "clientToken": "token2", "method": "get", "responseCode": "201", "timestamp": "2019-05-01T00:00:30Z", "uri": "stream.example.com/subscribe"},
]  # fmt: skip
SAMPLE_METADATA = {
    "name": "apiusagedetails-by-time", "version": "1", "outputType": "FLAT", "start": "2023-03-01T00:00:00Z",
    "end": "2023-04-01T00:00:00Z", "availableDataEnds": None, "suggestedRetryTime": None, "rowCount": 4,
    "filters": [{"name": "client_token", "values": ["token_1", "token_2"]}], "objectType": "account_id", "objectIds": ["1-123A"],
}  # fmt: skip


def client_of(server: AkamaiSandbox, **settings: Any) -> Akamai:
    secrets = (
        Secret(server.client_token),
        Secret(server.client_secret),
        Secret(server.access_token),
    )
    credentials = EdgeGridCredentials(settings.pop("base_url", server.url), *secrets)
    return Akamai(
        "edge",
        credentials=credentials,
        settings=ReportSettings(**{"account_ids": ("1-123A", "1-1TGTG"), **settings}),
    )


SAMPLE_CSV = """\
#METADATA_START
name,apiusagedetails-by-time
version,1
source,apiusagedetails-by-time/versions/1
start,2023-03-01T00:00:00Z
end,2023-04-01T00:00:00Z
availableDataEnds,
suggestedRetryTime,
rowCount,4
objectType,account_id
objectIds,1-123A,1-1TGTG,1-1TJZFB
client_token,token_1,token_2
http_method,post,patch
#METADATA_END

#SUMMARYSTATISTICS_START

#SUMMARYSTATISTICS_END

#COLUMNS_START
clientId,clientIp,clientOwner,clientToken,method,responseCode,timestamp,uri
#COLUMNS_END

#DATA_START
client3,127.0.0.1,owner2,token3,delete,503,2019-05-01T00:00:10Z,example.com/static/html
client5,127.0.0.1,owner1,token2,patch,500,2019-05-01T00:00:25Z,data.example.com/upload/file
Other,Other,Other,Other,Other,Other,Other,Other
client2,0.0.0.0,owner2,token2,get,201,2019-05-01T00:00:30Z,stream.example.com/subscribe
#DATA_END
"""
