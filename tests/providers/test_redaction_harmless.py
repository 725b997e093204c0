"""Lines of ordinary logs that resemble secrets and stay unchanged."""

from __future__ import annotations

import pytest

from providers.redaction import Redactor

LINES = r"""
PWD=/home/ada
OLDPWD=/srv/kitchen
sid=S-1-5-18
{"signature":"ET POLICY"}
{"signature":"ET POLICY curl User-Agent Outbound"}
signature verified
token: expired
"token":"expired"
Unexpected token: 17
Unexpected token < in JSON at position 0
token_type=bearer expires_in=3600
token count: 12
tokens: 512
max_tokens=100
prompt_tokens=42 completion_tokens=17
nextToken=null
token=true
{"password":null}
{"password":""}
{"password":"must be at least 8 characters"}
{"token":false,"user":"ada"}
{"error":"password is too short"}
password: required
password=${DB_PASSWORD}
password: {{ vault_password }}
password=$DB_PASSWORD
password=********
password: <unset>
password changed for ada
password authentication failed for user "ada"
password must be at least 8 characters
PASSWORD_FILE=/run/secrets/db
Accepted password for ada from 10.0.0.1 port 22 ssh2
Failed password for invalid user admin from 10.0.0.1 port 22 ssh2
error: invalid password for user 'ada'
passed: 12
passenger: Ada42
pass=3 fail=0
pass: yes
PASS: test_login
--- PASS: TestLogin2 (0.01s)
passwordless=yes
compass=N
bypass=12
secret=""
secret "db-creds-x7f9k" not found
secret default/db-creds not found
secretary: Bob
secretName: db-creds
Secret: kubernetes.io/tls
session closed for user root
pam_unix(sshd:session): session opened for user ada(uid=0)
Session: 30546174_4007394832 initialized by client WindowsUpdateAgent.
session-id 4
sessions=12
key=value
{"key":"kitchen","value":"stove"}
{"name":"kitchen","value":"stove"}
{"required":["password","username"]}
INSERT INTO cook ("name","password","email") VALUES (?,?,?)
monkey: banana
keyboard: us
primary_key=42
thing_key=oven-17
public_key=abc
access_key_id missing
Basic Authentication
basic training is hard
Bearer authentication required
bearer token missing
authorization: failed for ada
author: ada
auth=ok
auth: 5ms
"auth":{"enabled":true}
Authorization header missing
cookie consent given
cookies: enabled
Set-Cookie header missing
credentials: include
csrf token mismatch
jwt: malformed
apikey: not found
otp sent to ada
pin=front
"code":"E1234"
GET /oven?code=404
GET /oven?page=2&size=50 HTTP/1.1
connection: keep-alive
Connection: close
to=root, delay=00:00:01, relay=[127.0.0.1], dsn=4.0.0, stat=Deferred
id=3f2504e0-4f89-41d3-9a0c-0305e82c3301
commit 9fceb02d0ae598e95dc970b74767f19372d61af8
md5=d41d8cd98f00b204e9800998ecf8427e
sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
etag: "33a64df551425fcc55e4d42a148795d9f25f89d4"
x-amz-request-id: 4442587FB7D0A2F9
user ada@example.com logged in
https://example.com/@scope/pkg
https://kitchen.example:8080/path?u=ada@example.com
git@github.com:ada/kitchen.git
ssh://git@github.com/ada/kitchen.git
spark://CoarseGrainedScheduler@10.10.34.11:48069
docker run -u 1000:1000 alpine
task-123 disk-4 risk-assessment-of-the-year-2026-part-two
Could not get event name for stream/token: com.apple.xpc.activity/4505: 132: Request for stale data
Priority: 20, Token: Token { kind: ContainerToken, service: 172.22.149.145:28345 }, ]
acquire lock=23310, flags=0x1, tag="View Lock", token=android.os.BinderProxy@15b7a0e, name=systemui
Dec 10 06:55:46 LabSZ sshd[24200]: Failed password for invalid user webmaster from 173.234.31.186 port 38926 ssh2
081109 203615 148 INFO dfs.DataNode$PacketResponder: PacketResponder 1 for block blk_38865049064139660 terminating
10.0.0.1 - ada [21/Nov/2026:10:00:00 +0000] "GET /kitchen?user=ada HTTP/1.1" 200 512 "-" "Mozilla/5.0 (X11; Linux x86_64)"
I1121 10:00:00.000000 1 controller.go:87] "Updated token" secret="kitchen/default-token" namespace="kitchen"
http_requests_total{code="200",handler="/api/token",method="post"} 1027
vault_token_creation{auth_method="userpass",creation_ttl="24h"} 3
type=LOGIN_ERROR, error=invalid_user_credentials, auth_method=openid-connect, auth_type=code
oauth: grant_type=authorization_code client_id=kitchen
level=info msg="No certificates found for secret" secret=kitchen-tls namespace=kitchen
Setting up passwd (1:4.13+dfsg1-1+b1) ...
Unpacking libsecret-1-0:amd64 (0.20.5-3) ...
Downloaded password-hash v0.5.0
Building kitchen-auth 1.2.3-SNAPSHOT
image: kitchen/auth:5f2c8e0a1b3d
X509_check_private_key:key values mismatch
Authorization: Basic Authentication is required
authentication=required authorization=rbac
chpasswd: (user ada) pam_chauthtok() failed, error:
gpg: using RSA key 4E6F7A8B9C0D1E2F3A4B5C6D7E8F5F2C8E0A1B3D
server kitchen/10.0.0.1:2181, session id = 0x100000a3c2b0001, negotiated timeout = 30000
+ password = (sensitive value)
+ token = (known after apply)
WARNING: Using --password via the CLI is insecure. Use --password-stdin.
helm upgrade kitchen . --set auth.existingSecret=kitchen-auth
const token = getToken(req)
"password" => "required|min:8"
$password = $_POST['password'];
W/AuthToken: com.google.android.gms token refresh
Invalid API Key provided: sk_test_****1234
SUMO_ACCESS_KEY=`etcdctl get /sumologic_secret`
a friendly community
a known authentication-key
{"message":"Invalid token","trace.id":"4bf92f3577b34da6a3ce929d0e0e4736"}
{"error.type":"token","http.response.status_code":401}
{"event.action":"password","user.name":"ada.lovelace7"}
{"grant_type":"password","client.ip":"10.0.0.5"}
{"module":"secret","process.pid":4711}
{"module":"secret","metric.value":4711}
{"resource":"secret","k8s.pod.name":"kitchen-7d9f8b6c5-x2x4q"}
{"log.logger":"kitchen.token","process.thread.name":"exec-12"}
{"name":"token","trace.id":"4bf92f3577b34da6a3ce929d0e0e4736"}
msg="invalid token" metric.value=4711
{"auth":{"trace.id":"4bf92f3577b34da6a3ce929d0e0e4736"}}
image=kitchen/auth:5f2c8e0a1b3d4c5e
Pulling image "registry.example/kitchen/auth:20261121-ab12cd3"
kitchen/auth:5f2c8e0a1b3d started
secret=kitchen-tls-7d9f8b6c5 namespace=kitchen
TOKEN=`./get-token.sh --env prod`
TOKEN=`cat /run/secrets/token`
TOKEN=`kitchenctl token --raw`
password: (none)
password: (not set)
password = (sensitive)
password: (optional, default none)
password: (leave empty for none)
token: (read from the environment)
log in with ada@db.example.com:5432
Please log in with host:8080
login with node:4821 ok
login with id:123456
login with id:ab12cd34
login with method:oidc2
snmp community name
configure snmp community limits
use snmp community settings
what every snmp community expects
image: kitchen/auth:v1.0123456789abcdef0123456789abcdef01234567
etag: "v1.0123456789abcdef0123456789abcdef01234567"
ETag: W/"v1.0123456789abcdef0123456789abcdef01234567"
crumb: step2of3x
bread_crumb: step2of3x
crumb="Home9/Kitchen"
token=****1234
""".strip().splitlines()


@pytest.mark.parametrize("line", LINES)
def test_harmless_line_stays(line: str) -> None:
    assert Redactor().text(line) == line


def test_harmless_lines_stay_together() -> None:
    text = "\n".join(LINES) + "\n"
    assert Redactor().text(text) == text
