"""Names whose value is a secret, such as `DB_PASS`, `x-api-key`, `clientSecret`, `SECRET_KEY_BASE`.

A name is split into words, and the last word decides; `EXAMPLES` has an example of each kind.
"""

from __future__ import annotations

from enum import Enum, auto
from functools import lru_cache
from typing import Final

from providers.patterns import lazy_pattern


class NameKind(Enum):
    """What a name means for its value."""

    SECRET = auto()
    """Any value is removed, except ordinary words such as `expired` or `null`."""
    DOUBTFUL = auto()
    """A value is removed if it looks like a secret."""
    AUTHORIZATION = auto()
    """A scheme and its credentials."""
    COOKIE = auto()
    """Pairs of names and values."""
    DIRECTORY = auto()
    """Either a password or the working directory."""
    PASS = auto()
    """Either a password or the outcome of a test."""
    CODE = auto()
    """A secret of digits only, too."""
    PLAIN = auto()
    """No secret."""


def words(text: str) -> frozenset[bytes]:
    """The words of a text as a set."""
    return frozenset(word.encode() for word in text.split())


# Names of passwords in other languages. They are matched as whole words.
FOREIGN_NAMES: Final = (
    "contraseña",
    "contrasena",
    "clave_secreta",
    "senha",
    "mot_de_passe",
    "mot de passe",
    "motdepasse",
    "kennwort",
    "wachtwoord",
    "lösenord",
    "losenord",
    "adgangskode",
    "kodeord",
    "passord",
    "salasana",
    "heslo",
    "hasło",
    "haslo",
    "parola",
    "jelszó",
    "jelszo",
    "şifre",
    "пароль",
    "κωδικός",
    "密码",
    "密碼",
    "口令",
    "パスワード",
    "暗証番号",
    "비밀번호",
    "암호",
)

# The name ends in one of these words: its value is a secret.
_SECRET: Final = words(
    "password passwd passwort passphrase passcode passwd_hash secret token apikey apitoken "
    "apisecret authtoken authkey accesskey secretkey"
    " privatekey accountkey sharedkey encryptionkey signingkey masterkey storagekey sshkey appkey "
    "appsecret clientsecret credential"
    " credentials creds jwt psk pw bindpw rootpw dsn connectionstring connstr accesstoken "
    "refreshtoken bearer requirepass masterauth"
    " sharedaccesskey sharedaccesssignature samlresponse assertion userpassword userpass dbpass "
    "dbpassword passord sastoken codeverifier cvv cvc basicauth httpauth redisauth unsealkeys"
    " wpapsk otpseed totpseed mfaseed mnemonic seedphrase recoveryphrase magiclink dockerconfigjson dockercfg idtokenhint"
)
# The same for words with one of these endings, such as `dbpassword`.
_SECRET_ENDINGS: Final = (
    b"password",
    b"passwd",
    b"passphrase",
    b"apikey",
    b"secretkey",
    b"accesskey",
    b"privatekey",
    b"secret",
    b"token",
)
_PASS_ENDINGS: Final = (b"pass", b"pwd", b"pw")
_DOUBTFUL: Final = words(
    "auth oauth session sess sid sig signature hmac csrf xsrf csrftoken nonce ticket tokens "
    "passwords secrets passwds apikeys keys"
    " phpsessid jsessionid sessionid secretid magic rlkey resourcekey crumb"
)
_CODES: Final = words(
    "otp totp mfa pin puk authcode pincode recoverycode backupcode usercode onetimecode smscode logincode"
)
_CODE_OF: Final = words(
    "auth otp mfa totp verification activation device recovery backup user pin security login sms scratch factor time fa"
)
_HEADERS: Final = {
    b"cookie": NameKind.COOKIE,
    b"cookies": NameKind.COOKIE,
    b"authorization": NameKind.AUTHORIZATION,
}
# After one of these, `pass`, `pw` and `pwd` mean a password: `userpass`, `db_pwd`.
_OWNERS: Final = words(
    "db user usr root admin my sql mysql pg postgres redis mongo smtp imap pop mail email ftp "
    "sftp ssh http https proxy key store keystore"
    " truststore master auth bind ldap wifi wpa web app api svc service login account acct basic "
    "vendor client server host rabbitmq amqp mq"
    " kafka jdbc odbc ora oracle sudo su vnc rdp vpn ssl tls cert pfx p12 zip enc backup old new "
    "confirm your the s r rabbit elastic es git"
)
# After one of these words, `key` means a secret; after one of `_KEY_NOT_OF`, it does not. After any
# other word it is doubtful.
_KEY_OF: Final = words(
    "api secret private access auth account session encryption encrypt decryption signing sign "
    "shared master storage ssh vendor app"
    " application client service hmac aes rsa dsa ecdsa ed25519 gpg pgp admin write deploy "
    "functions function subscription integration"
    " deploy seal webhook license licence symmetric crypto cipher ssl tls server user root cookie jwt token "
    "password pass passwd customer partner"
    " merchant stripe aws azure gcp google openai sendgrid mailgun twilio datadog dd newrelic "
    "sentry slack github gitlab algolia"
    " network rapid7 akamai insight ingest ingestion write license_key activation product wifi wpa psk "
    "preshared gateway maps security recovery sas unseal"
)
_KEY_NOT_OF: Final = words(
    "primary foreign public pub partition sort cache routing row index thing object map hash "
    "lookup dedup dedupe idempotency registry hot"
    " arrow enter escape shift ctrl control tab page home end sub super composite natural "
    "surrogate unique group order join column field"
    " config item resource storage_class label annotation metric event message record data json "
    "xml attribute property shard cluster queue"
    " range bucket s3 file parent root_object node translation i18n locale sorting grouping "
    "search filter any press pressed last first next"
    " org thing_def alias duplicate missing unknown invalid zset stream topic binding wrong bad "
    "each every per no a the this that one "
    "get set has is find with by put delete remove"
)
# Words after the decisive one that do not change its meaning.
_NEUTRAL: Final = words(
    "old new current previous prod production dev development stage staging test live value val "
    "values plain plaintext cleartext text raw"
    " hash hashed digest enc encrypted b64 base64 base str string data default main backup confirm "
    "confirmation again repeat verify v hex header env"
    " var in out primary secondary global local internal external id_token key_base salt pem p8 "
    "p12 der material seed bytes content for"
)
# Words after the decisive one that turn the name into something about a secret, such as its length.
_ABOUT: Final = words(
    "file files path dir directory folder url uri endpoint type name names id ids length len len "
    "size count max min limit limits expiry"
    " expires expired expiration expire ttl age at on date time timestamp created updated changed "
    "modified policy rotation version state"
    " status valid validity validated enabled disabled required missing present set used reset "
    "change changes changing manager provider"
    " service store storage vault ref reference refs exists requests request response error "
    "errors errno failure failed failures attempts"
    " attempt count total rate usage bucket window format kind method methods mode field fields "
    "label hint prompt algorithm alg algo digest"
    " cipher issuer audience scope scopes claims group class index position offset line column "
    "start end budget lifetime timeout renewal"
    " refresh generator generation generated validator verifier handler filter listener factory "
    "builder service plugin auth_method source"
    " auth_type strength score consent banner jar parser domain host user username owner users "
    "ring card book word words mark range"
    " cert certificate opened closed started ended duration rotated revoked granted denied accepted rejected "
    "invalid is has can ok count fingerprint"
)
_TOKEN_NOT_OF: Final = words(
    "cancellation cancel eos bos pad mask unk sep stop max min prompt completion total input "
    "output unexpected invalid expected"
    " binder window num per cached reasoning thinking of"
)
_TOKEN_DOUBTFUL_OF: Final = words(
    "page next continuation sync cursor resume prev previous change pagination"
)
_PASS_NOT_OF: Final = words(
    "by first second third low high band render multi single one two com tres sur over under all "
    "full partial test tests lint dry last next"
    " num total"
)
# Programs, whose messages begin with their name; what says whether a variable is secret; a report
# that a browser shows.
_NO_NAMES: Final = words(
    "issecret isSecret UISessionId uisessionid "
    "chpasswd gpasswd smbpasswd saslpasswd saslpasswd2 vncpasswd htpasswd ldappasswd kpasswd "
    "yppasswd mosquitto_passwd unix_chkpwd chgpasswd withCredentials"
)
_SPLIT: Final = lazy_pattern(rb"[A-Z]{1,96}(?![a-z])|[A-Z]?[a-z]++|[0-9]++")

EXAMPLES: Final = {
    "password": NameKind.SECRET,
    "DB_PASS": NameKind.SECRET,
    "dbPassword1": NameKind.SECRET,
    "vendor_key": NameKind.SECRET,
    "x-api-key": NameKind.SECRET,
    "SECRET_KEY_BASE": NameKind.SECRET,
    "AWS_SECRET_ACCESS_KEY": NameKind.SECRET,
    "clientSecret": NameKind.SECRET,
    "session_id": NameKind.DOUBTFUL,
    "TOKEN_GITHUB": NameKind.DOUBTFUL,
    "oven_key": NameKind.DOUBTFUL,
    "pass": NameKind.PASS,
    "PWD": NameKind.DIRECTORY,
    "Set-Cookie": NameKind.COOKIE,
    "Proxy-Authorization": NameKind.AUTHORIZATION,
    "otp": NameKind.CODE,
    "secretary": NameKind.PLAIN,
    "compass": NameKind.PLAIN,
    "monkey": NameKind.PLAIN,
    "primary_key": NameKind.PLAIN,
    "chpasswd": NameKind.PLAIN,
    "discovery-token-ca-cert-hash": NameKind.PLAIN,
    "issecret": NameKind.PLAIN,
    "UISessionId": NameKind.PLAIN,
    "max_tokens": NameKind.PLAIN,
    "token_type": NameKind.PLAIN,
    "PASSWORD_FILE": NameKind.PLAIN,
    "passed": NameKind.PLAIN,
    "author": NameKind.PLAIN,
}


def is_about_secret(word: bytes) -> bool:
    """Whether a word says what of a secret is meant, such as `prompt` and `policy`."""
    return word in _ABOUT


@lru_cache(maxsize=4096)
def name_kind(name: bytes) -> NameKind:
    """What a name means for its value."""
    if name in _NO_NAMES:
        return NameKind.PLAIN
    parts = [part.lower() for part in _SPLIT.findall(name[-96:])]
    parts = [part for part in parts if not part.isdigit()]
    while parts:
        kind = _kind_of_last(parts)
        if kind is not None:
            return kind
        if parts[-1] not in _NEUTRAL:
            return _kind_of_earlier_word(parts)
        parts.pop()
    return NameKind.PLAIN


def _kind_of_last(parts: list[bytes]) -> NameKind | None:
    """The kind by the last word and the one before it; None if they decide nothing."""
    last = parts[-1]
    before = parts[-2] if len(parts) > 1 else b""
    if last == b"key":
        return _kind_of_key(parts)
    if last == b"token":
        return _kind_of_token(before)
    if last == b"oldpwd":
        return NameKind.DIRECTORY
    if last in (b"pass", b"pw", b"pwd"):
        return _kind_of_pass(last, before)
    if last == b"secret" and before == b"existing":
        # The name of a Secret of Kubernetes in the values of Helm.
        return NameKind.PLAIN
    if last == b"tokens" and before in _TOKEN_NOT_OF:
        return NameKind.PLAIN
    return _HEADERS.get(last) or _kind_of_word(last, before)


def _kind_of_word(last: bytes, before: bytes) -> NameKind | None:
    joined = before + last
    if last in _CODES or (last in (b"code", b"codes") and before in _CODE_OF):
        return NameKind.CODE
    if last in _SECRET or joined in _SECRET:
        return NameKind.SECRET
    if last in _DOUBTFUL or joined in _DOUBTFUL:
        return NameKind.DOUBTFUL
    if last.endswith(_SECRET_ENDINGS) or _is_pass_of_owner(last):
        return NameKind.SECRET
    return None


def _is_pass_of_owner(word: bytes) -> bool:
    """Whether a word is such as `userpass` or `dbpwd`."""
    if not word.endswith(_PASS_ENDINGS):
        return False
    endings = (ending for ending in _PASS_ENDINGS if word.endswith(ending))
    return any(word.removesuffix(ending) in _OWNERS for ending in endings)


def _kind_of_key(parts: list[bytes]) -> NameKind | None:
    if len(parts) == 1:
        return None
    if parts[-2] in _KEY_NOT_OF:
        return NameKind.PLAIN
    if parts[-2] in _KEY_OF or any(word in (b"secret", b"private", b"api") for word in parts):
        return NameKind.SECRET
    # The key of Supabase that may do anything.
    if parts[-3:-1] == [b"service", b"role"]:
        return NameKind.SECRET
    return NameKind.DOUBTFUL


def _kind_of_token(before: bytes) -> NameKind:
    if before in _TOKEN_NOT_OF:
        return NameKind.PLAIN
    return NameKind.DOUBTFUL if before in _TOKEN_DOUBTFUL_OF else NameKind.SECRET


def _kind_of_pass(last: bytes, before: bytes) -> NameKind:
    if last == b"pass":
        if before in _PASS_NOT_OF:
            return NameKind.PLAIN
        return NameKind.SECRET if before else NameKind.PASS
    if last == b"pwd" and (not before or before == b"old"):
        return NameKind.DIRECTORY
    return NameKind.SECRET


def _kind_of_earlier_word(parts: list[bytes]) -> NameKind:
    """The kind of a name whose decisive word is not the last: `TOKEN_GITHUB`, but not `token_type`."""
    for at in range(len(parts) - 1, 0, -1):
        if parts[at] in _ABOUT:
            return NameKind.PLAIN
        kind = _kind_of_last(parts[:at])
        if kind in (NameKind.SECRET, NameKind.PASS, NameKind.COOKIE, NameKind.AUTHORIZATION):
            return NameKind.DOUBTFUL
    return NameKind.PLAIN
