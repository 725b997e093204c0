"""Secrets of many kinds, and the contexts in which logs show them. A context contains `{}` in place
of the secret.
"""

from __future__ import annotations

from dataclasses import dataclass

from providers.redaction.tokens import UUID, hexes, letters

# Values that show only by their name what they are.
VALUES = {
    "word with a digit": "hunter2",
    "passphrase style": "Tr0ub4dor-and-3",
    "hexadecimal": hexes(32),
    "Base64": letters(43) + "=",
    "Base64 with signs": letters(20) + "/" + letters(10) + "+" + letters(9),
    "UUID": UUID,
    "mixed letters": letters(20),
    "signs": "x!Kq7$vX2*mZ9",
    "ampersand": "Kq7vX2&3mZ9t",
    "lower case": "correcthorsebattery",
    "dots": "Kq7vX2.mZ9tRb.4WnP6",
}
_NAMES = (
    "password passwd PASSWORD db_password DB_PASS userPassword passphrase secret client_secret "
    "clientSecret SECRET_KEY_BASE api_key apikey"
    " apiKey API_KEY x-api-key X-Api-Key vendor_key private_key AWS_SECRET_ACCESS_KEY access_key "
    "token access_token refresh_token"
    " accessToken authToken auth_token X-Auth-Token GITHUB_TOKEN credential credentials jwt "
    "connection_string dsn encryption_key"
    " signing_key AccountKey SharedAccessKey smtp_pass DB_PWD mysql_pwd admin_password password1 "
    "new_password keystorePassword"
    " app_token webhook_secret psk bindpw csrf_secret id_token bearer_token deployKey codeVerifier REDIS_AUTH password_digest"
)
NAMES = tuple(_NAMES.split())


@dataclass(frozen=True)
class Context:
    """A notation. `NAME` stands for a name and `{}` for the secret; `signs` says whether a bare
    value may contain signs there.
    """

    text: str
    signs: bool = True

    def with_secret(self, name: str, value: str) -> str:
        return self.text.replace("NAME", name).replace("{}", value)


def _bare(*texts: str) -> tuple[Context, ...]:
    return tuple(Context(text) for text in texts)


NAMED_CONTEXTS = _bare(
    "NAME={}",
    "NAME={} from=10.0.0.1",
    "login NAME={} ok",
    "NAME: {}",
    "NAME : {}",
    "NAME = {}",
    "NAME => {}",
    "NAME:={}",
    "NAME=='{}'",
    "NAME          =          {}",
    "NAME:\t{}",
    "export NAME={}",
    "export NAME='{}'",
    'NAME="{}"',
    "NAME='{}'",
    "NAME=`{}`",
    'NAME: "{}"',
    "NAME: '{}'",
    "  - NAME: {}",
    '{"NAME":"{}"}',
    '{"NAME": "{}", "user": "ada"}',
    '{"user":"ada","NAME" : "{}","n":1}',
    '{"NAME":["{}"]}',
    '{"NAME": ["{}", "{}"], "user": "ada"}',
    r'{"msg":"{\"NAME\":\"{}\",\"user\":\"ada\"}"}',
    r'{"msg":"{\"a\":\"{\\\"NAME\\\":\\\"{}\\\",\\\"user\\\":1}\"}"}',
    '{"msg":"login with NAME={} failed","user":"ada"}',
    r'{"msg":"line\nNAME={}\nuser=ada"}',
    '{"name":"NAME","value":"{}"}',
    '{"key": "NAME", "value": "{}"}',
    '[{"name":"a","value":"b"},{"name":"NAME","value":"{}"}]',
    '{"NAME":{"value":"{}"}}',
    '{"NAME":{"S":"{}"}}',
    "{'NAME': '{}', 'user': 'ada'}",
    "{'NAME': b'{}'}",
    "{u'NAME': u'{}'}",
    'User(name="ada", NAME="{}")',
    "User(name='ada', NAME='{}')",
    "User[name=ada, NAME={}]",
    "User{name='ada', NAME='{}'}",
    "map[NAME:{} user:ada]",
    "map[user:ada NAME:{}]",
    "&{User:ada NAME:{}}",
    '{:NAME=>"{}", :user=>"ada"}',
    '{"NAME"=>"{}", "user"=>"ada"}',
    '{NAME: "{}", user: "ada"}',
    "$config['NAME'] = '{}';",
    'config["NAME"] = "{}"',
    "<NAME>{}</NAME>",
    '<NAME type="text">{}</NAME>',
    "<ns:NAME>{}</ns:NAME>",
    '<user NAME="{}" name="ada"/>',
    "<NAME><![CDATA[{}]]></NAME>",
    '<add key="NAME" value="{}" />',
    '<property name="NAME" value="{}"/>',
    "<key>NAME</key><string>{}</string>",
    "&lt;NAME&gt;{}&lt;/NAME&gt;",
    r'{"xml":"\u003cNAME\u003e{}\u003c/NAME\u003e"}',
    "--NAME={}",
    "--NAME {}",
    "run --NAME {} --verbose",
    "run --NAME '{}' --verbose",
    '["--NAME", "{}"]',
    "NAME%3D{}%26user%3Dada",
    'time=1 level=info NAME="{}" user=ada',
    "time=1 level=info NAME={} user=ada",
    "NAME={};user=ada",
    "NAME={}, user=ada",
    "(NAME={})",
    "[NAME={}]",
    "{NAME={}, user=ada}",
    "NAME={}|user=ada",
    "2026-11-21T10:00:00Z INFO [main] c.k.App - NAME: {}",
    "<13>Nov 21 10:00:00 kitchen app[1]: NAME={}",
    "('NAME', '{}')",
    'NAME="""{}"""',
    "set NAME to: NAME={}",
    "curl -H 'NAME: {}' https://kitchen.example",
    'curl -H "NAME: {}" https://kitchen.example',
    'NAME: !!str "{}"',
    "user[NAME]={}",
    "Server=db;User Id=ada;NAME={};Timeout=3",
    '{"value":"{}","name":"NAME"}',
    '{"name":"NAME","secure":true,"value":"{}"}',
    '<entry key="NAME">{}</entry>',
    '<NAME value="{}"/>',
    'NAME: str = "{}"',
    "NAME=Secret('{}')",
    '"NAME": Some("{}")',
)
QUERY_CONTEXTS = (
    Context("GET /oven?NAME={}&page=2 HTTP/1.1", signs=False),
    Context("GET /oven?page=2&NAME={} HTTP/1.1", signs=False),
    Context("https://kitchen.example/oven?NAME={}", signs=False),
    Context(r'{"url":"https:\/\/kitchen.example\/oven?NAME={}\u0026page=2"}', signs=False),
    Context("https%3A%2F%2Fkitchen.example%2F%3FNAME%3D{}%26page%3D2", signs=False),
    Context("POST user=ada&NAME={}&submit=1", signs=False),
)

HEADER_CONTEXTS = (
    "Authorization: Bearer {}",
    "authorization: bearer {} status=200",
    "Authorization: Basic {}",
    "Authorization: Token {}",
    "Authorization: ApiKey {}",
    "Authorization: token {}",
    'Authorization: Digest username="ada", realm="k", nonce="n", uri="/", response="{}"',
    (
        "Authorization: AWS4-HMAC-SHA256 Credential=AKID/20261121/eu/s3/aws4_request, "
        "SignedHeaders=host, Signature={}"
    ),
    "Authorization: EG1-HMAC-SHA256 client_token=a;access_token={};timestamp=1;nonce=n;signature=s",
    "Authorization: SharedAccessSignature sr=kitchen&sig={}&se=1",
    "Authorization: {}",
    "Proxy-Authorization: Basic {}",
    '"Authorization": "Bearer {}"',
    '{"Authorization":["Bearer {}"]}',
    r'{"headers":"{\"Authorization\":\"Bearer {}\"}"}',
    "map[Accept:[*/*] Authorization:[Bearer {}]]",
    "{'Authorization': 'Bearer {}'}",
    "('Authorization', 'Bearer {}')",
    "[('authorization', 'Bearer {}'), ('accept', '*/*')]",
    "curl -H 'Authorization: Bearer {}' https://kitchen.example",
    'curl -H "Authorization: Bearer {}" https://kitchen.example',
    '{"name":"Authorization","value":"Bearer {}"}',
    "Cookie: sid={}",
    "Cookie: theme=dark; sid={}; lang=en",
    "Set-Cookie: sid={}; Path=/; HttpOnly",
    "Set-Cookie: sid={}; Expires=Wed, 21 Oct 2026 07:28:00 GMT; Path=/",
    '{"Cookie":["sid={}"]}',
    '{"Cookie":["theme=dark","sid={}"]}',
    '{"cookie":"theme=dark; sid={}"}',
    '{"set-cookie":["sid={}; Path=/","lang=en"]}',
    "map[Cookie:[theme=dark; sid={}] Host:[kitchen]]",
    '{"cookies":{"session":"{}"}}',
    "curl -b 'x' -H 'Cookie: sid={}' https://kitchen.example",
)  # fmt: skip

ADDRESS_CONTEXTS = (
    "postgres://ada:{}@db:5432/kitchen",
    "redis://:{}@cache:6379/0",
    "amqp://ada:{}@mq/%2F",
    "mongodb+srv://ada:{}@a.example,b.example/k?x=1",
    '{"url":"https://ada:{}@kitchen.example/x"}',
    r'{"url":"https:\/\/ada:{}@kitchen.example\/x"}',
    "fatal: unable to access 'https://ada:{}@git.example/k.git/'",
    "https%3A%2F%2Fada%3A{}%40kitchen.example%2Fx",
    "jdbc:oracle:thin:ada/{}@db:1521/k",
    "ada:{}@tcp(db:3306)/kitchen",
    "curl -u ada:{} https://kitchen.example",
    "curl --user 'ada:{}' https://kitchen.example",
    "mysql -h db -u ada -p{} kitchen",
    "sshpass -p {} ssh ada@kitchen",
    "redis-cli -h cache -a {} ping",
    "docker login -u ada -p {} registry.example",
    "CREATE USER ada IDENTIFIED BY '{}'",
    "ALTER USER ada WITH PASSWORD '{}'",
    "machine kitchen login ada password {}",
    "requirepass {}",
    "DB_PASSWORD          {}",
)

# A token that shows what it is may be anywhere.
ANYWHERE = (
    "{}",
    "used {} twice",
    "x={}",
    "note: {}, next",
    '{"note":"{}","user":"ada"}',
    '{"note":"sent {} to ada"}',
    r'{"note":"line\n{}\nnext"}',
    r'{"note":"{\"a\":\"{}\"}"}',
    "({})",
    "[{}]",
    "<td>{}</td>",
    "'{}'",
    "`{}`",
    "https://kitchen.example/oven?q={}&page=2",
    "q%3D{}%26page%3D2",
    "a|{}|b",
    "2026-11-21T10:00:00Z INFO {}",
    "map[note:{} user:ada]",
    "note:{}",
    "/x/{}",
)
