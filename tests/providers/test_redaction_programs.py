"""Secrets that only their place shows: in commands, configurations and messages of programs; and
sentences about these programs.
"""

from __future__ import annotations

import pytest

from providers.redaction import Redactor
from providers.redaction.modems import MODEM_COMMANDS

REDACTOR = Redactor()
VALUES = ("parsnip", "lavender", "Kq7vX2mZ9tRb")
FORMS = r"""
set passwd {}
    set psksecret {}
kitchen(config)# set password "{}"
snmpwalk -v3 -u ada -l authPriv -a SHA -A {} -x AES -X {} 10.0.0.1
echo {} | kinit ada@KITCHEN.EXAMPLE
echo '{}' | saslpasswd2 -p -c ada
echo {} | openconnect --passwd-on-stdin vpn.kitchen.example
(echo {}; echo {}) | smbpasswd -s -a ada
printf '%s\n' {} | cryptsetup open /dev/sda1 oven
bcp menu out menu.csv -c -U ada -P{} -S db
p4 -p ssl:1666 -u ada -P {} sync
mosquitto_passwd -b /etc/mosquitto/users ada {}
127.0.0.1:6379> AUTH default {}
neo4j-admin dbms set-initial-password {}
grafana-cli admin reset-admin-password {}
erl -setcookie {} -name oven@kitchen
client_send = "^ada^{}"
bindpw {}
rootpw {}
uci set wireless.@wifi-iface[0].key='{}'
option key '{}'
Rcon: "rcon 1146003691 "{}" status" from "192.0.2.9:27005"
"ada" l2tpd "{}" *
let apiKey: &str = "{}";
const TOKEN: &'static str = "{}";
password: Option<String> = "{}"
api_key: SecretStr = "{}"
Set-Item env:API_TOKEN {}
[Environment]::SetEnvironmentVariable("DB_PASSWORD","{}")
radtest ada {} 10.0.0.1 0 {}
conan remote login kitchen ada -p {}
dotnet nuget add source https://kitchen.example -n feed -u ada -p {}
xcrun altool --upload-app -u ada@kitchen.example -p {}
security unlock-keychain -p {} login.keychain
beeline -u jdbc:hive2://kitchen -n hive -p {}
etcdctl --user root:{} get menu
composer config http-basic.kitchen.example ada {}
bundle config gems.kitchen.example ada:{}
steamcmd +login ada {} +app_update 740
sapcontrol -user sidadm {} -function Start
restic --password-command "echo {}" backup
WiFi.begin("kitchen", "{}");
local-user ada password irreversible-cipher {}
snmp-agent community read cipher {}
password manager user-name "ada" plaintext "{}"
 ikev1 pre-shared-key {}
IPSec secret {}
Xauth password {}
sentinel auth-pass kitchen {}
user ada on >{} ~* +@all
create auth user ada password {} partition-access all
monitor http menu { username ada password {} }
name ada password {}
set vpn ipsec authentication psk kitchen secret '{}'
{default_pass, <<"{}">>}
passphrase for tank/kitchen: {}
neighbor 192.0.2.1 password {}
Password1 {}
Backlog SSId1 kitchen; Password1 {}; MqttHost mq
connected to nats://{}@nats.kitchen.example:4222
Driver={SQL Server};Server=db1;Uid=ada;Pwd={};Database=menu
tarsnap-keygen --keyfile oven.key --user ada@kitchen.example <<< "{}"
mc alias set kitchen https://minio.kitchen.example {} {}
sqlplus ada/{}@//db1:1521/menu
password "Auth" "{}"
##vso[task.setvariable variable=dbPassword;issecret=true]{}
rsync --password-file=<(echo {}) ada@host::menu /mnt
[sudo] password for ada: {}
Set-ADAccountPassword ada -NewPassword (ConvertTo-SecureString -AsPlainText "{}" -Force)
""".strip().splitlines()
HARMLESS = r"""
token: Optional[str] = bot_token or user_token
jwt_signing_key: str | None = Field(default=None, description="Signs.")
password: Optional[str] = Field(None)
let token: &str = env_token;
export const Password = (props: Props) =>
the pw= parameter is required
pw= took 0.25 ms
10.0.0.3:6379> auth timeout
auth-pass option removed
the auth-pass option works
passphrase for tank/kitchen: timeout
user ada password prompt
user ada password policy
neighbor 192.0.2.1 password changed
2026 is your year of code
key cipher suite negotiated
read cipher TLS_AES_256_GCM_SHA384
password simple mode
Password1 is the first field
username "Auth" "ada"
##vso[task.setvariable variable=region]eu
##vso[task.setvariable variable=region;issecret=true]
"session": "5f2c8e0a1b3d", "eventid": "cowrie.session.connect"
SecurityEvent="SuccessfulAuth",SessionID="1a2b3c4d5e6f7a8b@10.0.0.3"
GET /ReportServer UISessionId=a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6 200
sid=S-1-5-18
ORDER BY "name" *
credentials: loaded from oven.json
invalid token: signature mismatch
OTP seed CONFIGURED
totp seed: ENROLLED for ada
mc alias set failed
mc alias set k https://kitchen.example failed: connection refused
mc alias set k https://kitchen.example ok after 3 tries
.auth("realm", "kitchen")
gossip: ada:bob@kitchen.example joined
gossip:oven1:7946@10.0.0.3 alive
radtest usage
radtest took 0.25 ms
radtest stopped after 3 tries
usage: radtest user password server port secret
Usage: radtest [OPTIONS] user passwd radius-server[:port] nas-port-number secret
com2sec notConfigUser default public
com2sec is not installed
com2sec failed: exit status 1
output with pw 0.25 mW
laser with pw 5ns and 2mJ
using pw 3 of the profile
net user took 0.25 ms
see net user for details
isakmp key took 0.25 ms
wpa-psk version 1.2.3
usage: wpa-psk [options] file
the key-string command is deprecated
SecureString 3 of 5 done
no --creds given
vault login NOT_CONFIGURED
bearer NOT_CONFIGURED
requirepass exited with code 1
pin: 0.25 mW
chpasswd: PAM: Authentication failure
gpasswd: user ada added by root to group wheel
[Pipeline] withCredentials: Masking supported pattern matches of $PW
ParentValidSig=	ParentCompany=Kitchen Corporation
ChildValidSig=	ChildCompany=	ChildBroken=
password= user=ada host=db1
token=	status=ok
secret= attempts=3
Rule=REG_KEY_VAL|SourceProcessName=OVEN.EXE
Delete IKE-SA from Peer: 192.0.2.9; Cookies: 891f38892b0e6bd6-d71409f32c496d13
Cookie: mstshash=Administr
cmd: AUTH LOGIN ada@kitchen.example
"AUTH LOGIN YWRhQGtpdGNoZW4uZXhhbXBsZQ==" H=([127.0.0.1])
--discovery-token-ca-cert-hash sha256:9f86d081884c7d659a2feaa0c55ad015
set password again
please set password first
user ada password expired
the name ada password dialog opened
user ada password required
this is your 2024 report
1234 is your order number
curl -X POST https://kitchen.example/snmp
AT+CPIN?
AT#DWCFG?
""".strip().splitlines()


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("form", FORMS)
def test_secret_of_program_is_removed(form: str, value: str) -> None:
    line = form.replace("{}", value)
    assert REDACTOR.text(line) == line.replace(value, "[redacted]")
    assert (
        REDACTOR.text(f"first\n{line}\nlast\n")
        == "first\n" + line.replace(value, "[redacted]") + "\nlast\n"
    )


@pytest.mark.parametrize("value", ["4711", "parsnip"])
@pytest.mark.parametrize("command", MODEM_COMMANDS, ids=lambda command: command.text)
def test_secret_of_modem_is_removed(command: object, value: str) -> None:
    line = command.sample.replace("{}", value)  # type: ignore[attr-defined]
    redacted = REDACTOR.text(line)
    assert value not in redacted
    assert redacted.split('"')[0] == line.split('"')[0]


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("id;login;kennwort\n1;ada;parsnip\n", "id;login;kennwort\n1;ada;[redacted]\n"),
        ("dovecot: client in: AUTH\t1\tPLAIN\tresp=AGFkYQBsYXZlbmRlcg==", "dovecot: client in: AUTH\t1\tPLAIN\tresp=[redacted]"),
        ('{"network_key": [7, 3, 5, 9]}', '{"network_key": ["[redacted]", "[redacted]", "[redacted]", "[redacted]"]}'),
        ("PIN entered: 4711 for card 1", "PIN entered: [redacted] for card 1"),
        ("key1\tFull\tyX9sT4hQ0mU2kLp==\n", "key1\tFull\t[redacted]\n"),
        ("482913 is your kitchen verification code", "[redacted] is your kitchen verification code"),
        ("recovery codes: a1b2-c3d4 e5f6-a7b8", "recovery codes: [redacted] [redacted]"),
        ("password:\n  parsnip\n", "password:\n  [redacted]\n"),
        ("snyk auth 7f3b9a52-1c4d-4e8f-9a6b-2d5c8e7f1a3b", "snyk auth [redacted]"),
        ("memory usage high: mysql -uada -plavender", "memory usage high: mysql -uada -p[redacted]"),
        ("usage of db1 rose after curl -u ada:lavender https://k", "usage of db1 rose after curl -u ada:[redacted] https://k"),
        ("mysql -uada -psettings menu", "mysql -uada -p[redacted] menu"),
        ("curl -u ada:module https://k", "curl -u ada:[redacted] https://k"),
        ("secret= tRb9x=Kq7vX2m user=ada", "secret= [redacted] user=ada"),
        ("| token | ada=K7q2vX9mZ |", "| token | [redacted] |"),
        ("net user ok Saffron1 /add", "net user ok [redacted] /add"),
        (r'AT+CWJAP="ab\\\,c","lavender9\"\\x"', r'AT+CWJAP="ab\\\,c","[redacted]"'),
        (r'{"tx":"AT+CWJAP=\"k\",\"pa\\\\ss77\""}', r'{"tx":"AT+CWJAP=\"k\",\"[redacted]\""}'),
        ("PUK1=48291375", "PUK1=[redacted]"),
        ("Uid=ada;Pwd=euro{pium};Database=menu", "Uid=ada;Pwd=[redacted];Database=menu"),
        ('tarsnap-keygen --user ada <<< "olive branch"', 'tarsnap-keygen --user ada <<< "[redacted]"'),
        ('encryption:\n  key: "7gMbW2qkzq8XlPp1oL0vJzYbH3fXl2b1Qm0z0m3bVYQ="', 'encryption:\n  key: "[redacted]"'),
        ("password:\n  lavender\n", "password:\n  [redacted]\n"),
        ("Password for the [ada] user successfully reset.\nNew value: Kq7vX2mZ9tRb", "Password for the [ada] user successfully reset.\nNew value: [redacted]"),
        ('session="5f2c8e0a1b3d"', 'session="[redacted]"'),
        ("SIM PUK: 48291375", "SIM PUK: [redacted]"),
        ("OTP seed JBSWY3DPEHPK3PXP", "OTP seed [redacted]"),
    ],
)  # fmt: skip
def test_secret_beside_its_text_is_removed(text: str, redacted: str) -> None:
    assert REDACTOR.text(text) == redacted


@pytest.mark.parametrize("line", HARMLESS)
def test_sentence_about_program_stays(line: str) -> None:
    assert REDACTOR.text(line) == line
    assert REDACTOR.text(f"first\n{line}\nlast\n") == f"first\n{line}\nlast\n"
