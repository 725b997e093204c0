"""Options, settings and sentences that look like a place for a password stay unchanged, and
passwords in the same place are removed.
"""

from __future__ import annotations

import json

import pytest

from providers.redaction import Redactor
from providers.redaction.tokens import letters

REDACTOR = Redactor()
HARMLESS = r"""
["mysqld_exporter","-port=9104"]
["/usr/sbin/mysqld","-pid-file=/run/mysqld.pid"]
{"image":"mysql:8","args":["-port=3306","-print-defaults"]}
{"image":"mysql","args":["-pretend"]}
{"command":["mysql"],"env":{}},{"args":["-pretend"]}
["docker","run","--name","mysql","-p3306:3306","mysql:8"]
["docker", "run", "--name", "mysql", "-p127.0.0.1:3306:3306/tcp", "mysql:8"]
["docker","run","--name","mysql","-pretend"]
["sshpass","-e","ssh","-p2222","kitchen"]
["mysql","--protocol=tcp"]
["mysql","-print-defaults"]
[["mysql"],["grep","-pattern"]]
mysql is ready, ["grep", "-pretend"]
Vehicle identified as stolen; notify
issue identified by customer;
device identified as suspicious;
Device identified as Server2019;
identified by customer_id;
host identified by 00:1a:2b:3c:4d:5e;
user session identified by cookie_id;
problem identified with badge by operator;
device identified as "suspicious"
BGP community 65000:100;
match community 65000:100 10.0.0.1
community target:65000:100;
community no-export;
set extended community target;
from community Peers2024;
community 65000:100,65000:200;
our community support view
join our community today;
["docker","run","-u","1000:1000","img"]
["docker","run","--user","nobody:nogroup"]
["docker","run","-u","root:root"]
["docker","exec","-u","app:group42","img"]
["chown","-u","root:wheel"]
http-server -a 127.0.0.1:8080
http-server -a localhost:8080 -p 80
python -m http.server -a kitchen:8080
GET http://kitchen.example -a kitchen:pot
kubectl create configmap x --from-literal=color=blue
kubectl create cm x -n kitchen --from-literal=size=small --from-literal=color=blue
["kubectl","create","configmap","x","--from-literal=color=blue"]
kubectl config set-credentials ada --server=kitchen
kubectl config set-credentials cluster-admin-42Xy
listening on [::]:587 proto:tcp
listening on [::]:465 worker:idle
connected to [mx.example]:587 worker:idle
to=<ada@example.com> relay=mx.example[10.0.0.1]:25 status:sent
[mx.example]:587 state:open
""".strip().splitlines()
REMOVED = r"""
["mysql","-p{}","-h","db1"]
["docker","exec","-i","db","mysql","-uroot","-p{}"]
["C:\\MySQL\\bin\\mysql.exe","-p{}"]
["mysqldump","-e","select [a]","-p{}"]
{"command":["mysql"],"args":["-uroot","-p{}"]}
{"path":"/usr/bin/mariadb","env":[],"args":["-p{}"]}
exec.Command("mysql", "-uroot", "-p{}")
mysql -u root "-p{}"
CREATE USER ada IDENTIFIED BY {};
alter user ada identified by '{}'
identified by '{}'
CREATE USER ada IDENTIFIED WITH mysql_native_password AS '{}'
grant all on kitchen.* to 'ada'@'%' identified by "{}"
CREATE DATABASE LINK pot CONNECT TO ada IDENTIFIED BY {};
snmp { community {};
rwcommunity {} default
trapcommunity {};
["curl","-u","ada:{}"]
["/usr/bin/curl", "-s", "--user", "ada:{} {}"]
curl -s -u ada:{} kitchen.example
/usr/bin/curl -u ada:{}
http -a ada:{} kitchen.example
kubectl create secret generic oven --from-literal=pot={}
["kubectl","create","secret","generic","oven","--from-literal=pot={}"]
kubectl create configmap x --from-literal=a=b; kubectl create secret generic y --from-literal=pot={}
kubectl config set-credentials ada --password={}
[smtp.example]:587 ada:{}
[127.0.0.1]:587 ada:{}
[smtp.example]:465 ada@example.com:{}
""".strip().splitlines()
PASSWORDS = ("swordfish", "S3cretPw9", letters(14))


@pytest.mark.parametrize("line", HARMLESS)
def test_argument_without_password_stays(line: str) -> None:
    assert REDACTOR.text(line) == line
    in_json = json.dumps({"message": line})
    assert REDACTOR.text(in_json) == in_json


@pytest.mark.parametrize("form", REMOVED)
def test_password_in_same_place_is_removed(form: str) -> None:
    for password in PASSWORDS:
        line = form.replace("{}", password)
        assert REDACTOR.text(line) == form.replace("{} {}", "{}").replace("{}", "[redacted]")
        in_json = REDACTOR.text(json.dumps({"message": line, "level": "info"}))
        assert password not in in_json
        assert json.loads(in_json)["level"] == "info"


def test_program_on_another_line_is_no_command() -> None:
    lines = '10:00 mysql ready\n10:01 ["grep","-pattern7"]'
    assert REDACTOR.text(lines) == lines
    lines = "10:00 curl ok\n10:01 docker run -u root:root"
    assert REDACTOR.text(lines) == lines


def test_user_of_credentials_stays() -> None:
    line = f"kubectl config set-credentials ada --token={letters(20)}"
    assert REDACTOR.text(line) == "kubectl config set-credentials ada --token=[redacted]"


def test_command_continues_on_next_line() -> None:
    lines = "curl -s \\\n  -u ada:swordfish \\\n  kitchen.example"
    assert REDACTOR.text(lines) == lines.replace("swordfish", "[redacted]")


def test_password_ends_with_its_item() -> None:
    line = r'{"cmd":"[\"mysql\",\"-pS3cretPw9\",\"-h\",\"db1\"] exit 1","n":1}'
    assert REDACTOR.text(line) == line.replace("S3cretPw9", "[redacted]")
    line = json.dumps({"message": line})
    assert REDACTOR.text(line) == line.replace("S3cretPw9", "[redacted]")
    assert "S3cretPw9" not in REDACTOR.text('["sshpass","-v","-pS3cretPw9","ssh","kitchen"]')


def test_long_password_in_item_is_removed_whole() -> None:
    line = f'["mysql","-p{letters(400)}","-h","db1"]'
    assert REDACTOR.text(line) == '["mysql","-p[redacted]","-h","db1"]'
