"""Secrets in settings of devices and servers, in arguments of commands, and in links and markup."""

from __future__ import annotations

import json

import pytest

from providers.redaction import Redactor
from providers.redaction.tokens import hexes, letters

REDACTOR = Redactor()
VALUES = (letters(14), "tomato42")
DEVICES = """
snmp-server community {} RO
rocommunity {} 10.0.0.0/8
enable secret 9 $9${}
username ada password 7 {}
tacacs-server host 10.0.0.1 key 7 {}
radius-server host 10.0.0.1 auth-port 1812 key {}
ip ospf message-digest-key 1 md5 {}
standby 1 authentication md5 key-string {}
pre-shared-key ascii-text "$9${}"; ## SECRET-DATA
set psksecret ENC {}
set password ENC {}
snmp-server user ada g v3 auth sha {} priv aes 128 {}
createUser ada SHA "{}" AES "{}"
ada : EAP "{}"
"ada" * "{}" *
[smtp.example]:587 ada:{}
WIFI:T:WPA;S:kitchen;P:{};;
wpa_passphrase kitchen {}
ip ospf authentication-key {}
ntp authentication-key 1 md5 {} 7
set snmp community {}
set snmp community {} authorization read-only
DefaultPassword    REG_SZ    {}
basic.auth.user.info=ada:{}
""".strip().splitlines()
COMMANDS = """
git config --global kitchen.apiKey {}
aws configure set aws_secret_access_key {}
npm config set //registry.example/:_authToken {}
vault login {}
kubectl create secret generic oven --from-literal=pot={}
rabbitmqctl add_user ada {}
ssh-keygen -N '{}' -f key
unzip -P {} menu.zip
openssl enc -aes-256-cbc -K {} -iv 00
echo {} | docker login -u ada --password-stdin
lftp -u ada,{} kitchen.example
useradd -p {} ada
xfreerdp /u:ada /p:{} /v:kitchen
http -a ada:{} GET kitchen.example
app --pwd {} --port 80
app --code-verifier {}
ENV API_TOKEN {}
["-u", "ada", "-p", "{}"]
["--user", "ada:{}"]
execve("/usr/bin/mysql", ["mysql", "-uada", "-p{}"], 0x7ffd)
CREATE USER ada IDENTIFIED BY {};
SELECT crypt('{}', gen_salt('bf'))
DRIVER={{PostgreSQL}};Server=kitchen;Uid=ada;Pwd={{{}}};
new PDO("mysql:host=kitchen", "ada", "{}")
login("ada", "{}")
::add-mask::{}
USER ada PASS {}
NickServ IDENTIFY {}
schtasks /create /tn oven /ru ada /rp {}
"AUTH" "{}"
1763719200.1 [0 127.0.0.1:1] "AUTH" "default" "{}"
login with ada:{}
cargo login {}
ftp> user ada {}
radtest ada {} 192.0.2.1 0 oven
db2 connect to kitchen user ada using {}
.logon kitchen/ada,{}
x-honeycomb-team: {}
Password for the elastic user: {}
PASSWORD kibana_system = {}
hdbsql -u ada -p {}
cypher-shell -u neo4j -p {}
::set-env name=API_KEY::{}
com2sec ro default {}
snmp_community={}
exec sp_password NULL, '{}', 'ada'
db.auth("ada","{}")
ACL SETUSER ada on >{} ~*
type=EXECVE a0="curl" a1="-u" a2="ada:{}"
$p = '{}' | ConvertTo-SecureString -AsPlainText -Force
zip -P{} menu.zip oven
impacket-psexec KITCHEN/ada:{}@192.0.2.9
ldappasswd -s {} uid=ada
net ads join -U ada%{}
login attempt [root/{}] failed
using pw {}
Token {{ value: "{}" }}
activationCode={}
nuget push oven.1.0.0.nupkg {} -Source https://kitchen.example
poetry config http-basic.kitchen ada {}
mc alias set k https://kitchen.example AKID {}
virsh secret-set-value 5f2c {}
bitsadmin /setcredentials oven server basic ada {}
security add-generic-password -a ada -s oven -w {}
signtool sign /f oven.pfx /p {} oven.exe
kadmin -p ada -w {} -q listprincs
doctl auth init -t {}
tsql -S kitchen -U sa -P {}
twine upload -u __token__ -p {} dist/oven.whl
gh auth login --with-token <<< {}
kinit ada <<< "{}"
cryptsetup luksOpen --key-file <(echo {}) /dev/sda1
expect -c 'expect "Password:"; send "{}\\r"'
EXEC sp_addlogin 'ada', '{}'
ldap_bind($link, "cn=ada", "{}")
conn.simple_bind_s("cn=ada", "{}")
reg add HKLM\\Winlogon /v DefaultPassword /t REG_SZ /d {}
aws ssm put-parameter --name /kitchen/password --value {} --type SecureString
gh secret set DB_PASSWORD --body "{}"
iscsiadm --op update -n node.session.auth.password -v {}
-Dsonar.login={}
sip:ada:{}@kitchen.example
cvs -d :pserver:ada:{}@kitchen.example:/oven login
Login incorrect: [ada/{}] (from client kitchen port 0)
<Parameter Name="Password">{}</Parameter>
""".strip().splitlines()
SENTENCES = """
API key: {}
Session ID: {}
Incorrect API key provided: {}
the access key is {}
The client_secret is {}
set auth_token to '{}' for ada
A temporary password is generated for root@localhost: {}
Please use the following password to log in: {}
| DB_PASSWORD | {} |
mot de passe: {}
le mot de passe est {}
la contraseña es {}
the new password will be {}
Password has been reset to {}
password mismatch: expected {} got another
Passwort lautet {}
contraseña: {}
пароль: {}
recovery codes: {}
backup_codes=["{}"]
<input name="authenticity_token" type="hidden" value="{}" />
<input type="password" name="p" value="{}">
{{"password": {{"string": "{}"}}}}
{{"token": {{"sensitive": true, "type": "string", "value": "{}"}}}}
otpauth-migration://offline?data={}
csrf token mismatch: got {}
Jenkins-Crumb: {}
https://kitchen.example/oven.pdf?rlkey={}&dl=0
<AutoLogon><Password><Value>{}</Value></Password></AutoLogon>
{{"github-oauth": {{"github.com": "{}"}}}}
""".strip().splitlines()
HARMLESS = """
community support for kitchen
dsn: default
Session ID = 8f1f6b6e-9d3c-4a7e-b1a4-0c5e8f1f6b6e
imap-login: Login: user=<ada>, method=PLAIN, session=<Ax2Kp3oN+QwKAAAB>
dovecot: auth: passwd-file(ada,192.0.2.7): unknown user
smtp-in: New session 08d856b172f69c5c from host kitchen.example
Auth: 192.0.2.8:2274->192.0.2.9:993 client-secure=ssl
%IPS-4-SIGNATURE: Sig:3051 Subsig:1 Sev:4 TCP
SecurityEvent="InvalidPassword",EventTV="1373098165-824497",Service="SIP"
RegKey=\\REGISTRY\\MACHINE\\SYSTEM\\kitchen
token = state.push("link_open", "a", 1)
password: HiddenText | None = None
passwd:         files systemd
password [success=1 default=ignore] pam_unix.so
<a accesskey="n" href="oven.html">
my $pass = $assert->{pass};
token = std::string(
password changed from the default
echo kitchen <(echo oven)
jq .name <<< "$menu"
the password is `not set`
password is "too short"
pass: (second attempt)
key 7 of 12 pressed
md5 d41d8cd98f00b204e9800998ecf8427e
arguments to pass to `node`
Send both the USER and PASS commands
api key missing
session id 4 closed
login failed (kitchen)
Password has been reset to the default
le mot de passe est incorrect
license key expired
login with kitchen failed
create(cls, token: Token) -> MarkdownElement:
r'del_user|grant|has_token|has_collection|'
GET /verify/mail 200
GET /reset-password/confirm 200
the secret is stored in the vault
vault login failed
set token_type to 'bearer'
0 9 * * mon-fri /usr/bin/kitchen
user unknown
one-time code sent
password = self._get_password(url, username)
private_key = load_pem_private_key(key_data, password)
self.access_token = AccessToken(access_token, access_secret)
self.user_token = user_token
connect(ssl_keyfile_password=ssl_keyfile_password)
GET /create?access_token=ACCESS_TOKEN
api_key: YOUR_API_KEY
password: ${{ secrets.DB_PASSWORD }}
""".strip().splitlines()


def without_values(line: str, value: str) -> str:
    return line.replace(value, "[redacted]")


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("form", DEVICES + COMMANDS)
def test_setting_is_removed(form: str, value: str) -> None:
    line = form.format(*[value] * form.count("{}"))
    assert value not in REDACTOR.text(line)
    assert value not in REDACTOR.text(f"2026-11-21T10:00:07Z kitchen[12]: {line}")


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("form", DEVICES + COMMANDS)
def test_setting_in_json_is_removed(form: str, value: str) -> None:
    line = json.dumps({"message": form.format(*[value] * form.count("{}")), "level": "info"})
    redacted = REDACTOR.text(line)
    assert value not in redacted
    assert json.loads(redacted)["level"] == "info"


@pytest.mark.parametrize("form", SENTENCES)
def test_named_secret_is_removed(form: str) -> None:
    value = letters(14)
    line = form.format(value)
    assert REDACTOR.text(line) == without_values(line, value)
    in_json = json.dumps({"message": line})
    assert value not in REDACTOR.text(in_json)


@pytest.mark.parametrize(
    ("line", "redacted"),
    [
        ("GET /a?secret=V1c%26k9%3Da7&n=1", "GET /a?secret=[redacted]&n=1"),
        ("GET /r?next=%2Fa%3Fsecret%3DVick9a71%26n%3D1", "GET /r?next=%2Fa%3Fsecret%3D[redacted]%26n%3D1"),
        ("[db]\nsecret = 3Kh&Oe:rA=kA\nhost = h", "[db]\nsecret = [redacted]\nhost = h"),
        ("curl -H 'secret: E5,zR=3Q' https://a/", "curl -H 'secret: [redacted]' https://a/"),
        ('Environment="SECRET=X7w&qy=Oef"', 'Environment="SECRET=[redacted]"'),
        ("<key>secret</key><string>Aq7;b=c7</string>", "<key>secret</key><string>[redacted]</string>"),
        ("default credentials: admin / tomato42", "default credentials: [redacted]"),
        ('{"MFACode":"170717"}', '{"MFACode":"[redacted]"}'),
        ("GET /reset-password/" + letters(32), "GET /reset-password/[redacted]"),
        ('variable "db_password" {\n  default = "tomato"\n}', 'variable "db_password" {\n  default = "[redacted]"\n}'),
        ("Password:\n" + letters(14), "Password:\n[redacted]"),
        ("seed phrase: " + "oven " * 11 + "pot", "seed phrase: [redacted]"),
        ("password: `correct horse battery staple`", "password: `[redacted]`"),
        ("password: `my pass word`", "password: `[redacted]`"),
        ("PASSWORD=`hunter2 hunter`", "PASSWORD=`[redacted]`"),
        ("PASSWORD=`cat of the kitchen`", "PASSWORD=`[redacted]`"),
        ("password: (sunny day)", "password: [redacted]"),
        ("password=(my secret pass phrase)", "password=[redacted]"),
        ("passphrase: (blue sky over hills) set", "passphrase: [redacted] set"),
        ("password=Kitchen-9****Xx9", "password=[redacted]"),
        ("password=tomato-oven****pot123", "password=[redacted]"),
        ("token=abcd****wxyz", "token=[redacted]"),
        ("secret=" + hexes(32) + " namespace=kitchen", "secret=[redacted] namespace=kitchen"),
        ("key=kitchen/session:" + hexes(32) + " hit", "key=kitchen/session:[redacted] hit"),
        ("kitchen/session:5f2c8e0a1b3d", "kitchen/session:[redacted]"),
        ("redis GET kitchen/oauth:ya9xK28sPq1LmZ", "redis GET kitchen/oauth:[redacted]"),
        ("POST /auth: Zx81kk29Qmw", "POST /auth: [redacted]"),
        ('{"name":"password","field.value":"tomato"}', '{"name":"password","field.value":"[redacted]"}'),
        ('{"field.name":"pin","field.value":1234}', '{"field.name":"pin","field.value":"[redacted]"}'),
        ('{"crumb":"' + hexes(32) + '"}', '{"crumb":"[redacted]"}'),
        ("using v1." + hexes(40) + " now", "using [redacted] now"),
        ("set snmp community swordfish", "set snmp community [redacted]"),
        ("login with user ada:p@ssw0rd.", "login with user ada:[redacted]."),
    ],
)  # fmt: skip
def test_value_with_separators_is_removed_whole(line: str, redacted: str) -> None:
    assert REDACTOR.text(line) == redacted


@pytest.mark.parametrize("line", HARMLESS)
def test_harmless_setting_stays(line: str) -> None:
    assert REDACTOR.text(line) == line
    assert REDACTOR.text(json.dumps({"message": line})) == json.dumps({"message": line})
