"""Which values are secrets, and which are ordinary words, placeholders, paths or numbers."""

from __future__ import annotations

import re
from typing import Final

from providers.patterns import lazy_pattern
from providers.redaction.names import NameKind, is_about_secret, name_kind, words
from providers.redaction.prose import WORDS_OF_SENTENCES
from providers.redaction.secret import MARK, REST_MARK

_MARKS: Final = (MARK.encode(), MARK.encode() + REST_MARK)

# Ordinary words that may be in the place of a secret: states, types, articles.
_ORDINARY: Final = words(
    "null none nil undefined true false yes no on off nan n/a na unset empty omitted masked "
    "redacted filtered removed expire expired expires"
    " expiry invalid valid missing required optional incorrect wrong bad mismatch malformed "
    "unknown unauthorized forbidden ok okay success"
    " successful succeeded failed failure fail error denied granted accepted rejected refused "
    "revoked rotated refreshed renewed changed"
    " updated created deleted generated issued reset set sent received found not never is was are "
    "were has have had must should can cannot"
    " could will would may be been to from for of in at by with without and or the a an this that "
    "it its you your please enable enabled"
    " disable disabled active inactive pending present absent used unused opened open closed "
    "close started ended terminated established"
    " string str int integer bool boolean bytes object array number any void include same-origin "
    "omit anonymous bearer basic too plain md5"
    " loaded signature configured not_configured unconfigured enrolled deprecated installed sha1 sha256 sha512 hmac rsa jwt oauth oauth2 saml ldap kerberos gssapi ntlm negotiate "
    "digest publickey keyboard-interactive"
    " new await async token credentials authentication authorization authenticated "
    "unauthenticated authorized "
    "validation verification verified checking checked check skipped"
    " skipping using trying got expecting expected unexpected end eof hidden password passwd passwort base32 base64 utf8 "
    "utf-8 sha224 sha384 ssha argon2 argon2id pbkdf2 md4 aes128 aes256 x509 hex \\N 0 1 -1 "
    "|- |+ | - + key keys via edit rbac abac webhook amd64 arm64 armhf i386 noarch"
    # The same in other languages, and their words for a password.
    " erforderlich falsch ungültig abgelaufen requerida requerido incorrecta incorrecto inválida "
    "obligatoire requis incorrect expiré richiesta obbligatoria errata verplicht onjuist "
    "files compat contraseña senha kennwort wachtwoord heslo parola"
)
# Placeholders, paths of secret files, Java objects. Matched only if _HAS_SIGN finds something.
_PLACEHOLDER: Final = lazy_pattern(
    rb"""(?xi)
    (?:
        (?:[*\#x.?_-]|\xe2\x80\xa2){1,64}$
      | (?:[a-z0-9]{1,12}[_.~-]){1,4}[x*]{8,128}$                       # pnu_XXXXXXXX
      # sk_test_****1234: the prefix of a vendor, and at most four signs of the secret on one side
      | (?-i:(?:[spr]k|whsec|gh[opsur]|github_pat|glpat|xox[abeoprs]|xapp|hf|npm|pypi|dop_v1|key|sk-ant|sk-proj)[_-](?:(?:test|live|prod|proj|admin)[_-])?)?
        (?:\w{0,4}\*{4,64} | \*{4,64}\w{0,4} | \w{1,2}\*{4,64}\w{1,2} | \w{1,4}\*{8,64}\w{1,4})$
      | (?:required|nullable|sometimes|confirmed|string)(?:\|[\w:,.]{1,40}){1,10}$         # a rule of Laravel
      | \$\{[\w.]{0,100}(?::(?:[+?][^}]{0,200}|[-=]?(?:\$\{?\w{0,64})?)?)?\}{0,2}$ | \$?\{\{[^}]{0,200}(?:\}\}?)?$ | \$\([^)]{0,200}\)?$ | %\(\w{1,40}\)s?$ | <(?!\w{0,40}\d[A-Za-z]{1,3}\d)[\w -]{1,40}>?$ | %[sdvq]$ | \{?\w{1,40}![rsa]\}?$ | [\w .:/-]{1,30}\{[A-Za-z_.()!]{2,60}\}$ | \$?[A-Za-z_]\w{0,40}(?:::\w{1,40}){0,4}->[\w>({\[$'"-]{0,80}$ | [A-Za-z_]{1,40}(?:::[A-Za-z_]{1,60}){1,5}(?:\(|$) | @_$ | \$[A-Z_][A-Z0-9_]{0,64}\[?$ | \$\d{1,3}$ | \?$ | :[a-z_]\w{0,40}$
      | \[(?:redacted|filtered|hidden|masked|removed)\]?$ | ![a-z]{2,20}$
      | [A-Za-z_][\w.]{1,60}(?:\(\)?|\(\d{1,5}(?:,[ ]?\d{1,5})?\)?|\[)$             # a call, varchar(64
      | (?-i:(?=[a-z]{0,30}[._])[a-z_]{1,40}(?:\.[a-z_]{1,40}){0,5}\([\w."'=*-]{0,100})$      # json.loads(text
      | (?-i:[A-Z][a-z]{1,20}(?:[A-Z][a-z]{1,20}){1,4}\([a-z_.]{0,60})$                     # AccessToken(access_token
      | (?-i:[a-z]{2,20}(?:[A-Z][a-z]{1,20}){1,4}\([a-z][\w.]{0,60})$                        # getToken(request
      | \((?-i:[A-Z][A-Za-z]{1,20}-[A-Z]\w{1,40})$                   # a command of PowerShell
      | mot[ ]de[ ]passe$
      | \d{1,2}(?:\.\d{1,3}){2}$
      | (?-i:[a-z]{2,30}(?:-[a-z0-9]{1,10}){0,6}/[a-z]{2,30}(?:-[a-z0-9]{1,10}){0,6})$   # a thing of Kubernetes in its namespace
      | env:\w{1,64}$ | file:[/~.\w-]{1,200}$ | //(?![\w+/]{12,100}={0,2}$)
      | /(?:etc|run|var|home|usr|opt|tmp|mnt|root|srv|dev|proc|app|secrets)/[\w./-]{1,200}$
      | (?:[a-z][a-z0-9_]{0,40}\.){1,8}[A-Za-z][\w-]{0,60}(?:[{\[(:/]|@[0-9a-f]{3,16}$)      # a class of Java and its object, a type of Kubernetes
      | [A-Za-z]{1,40}(?:\[|\{|@[0-9a-f]{3,16}$)                       # Token{, Token@1a2b
    )
    """
)
_HAS_SIGN: Final = lazy_pattern(
    rb"^\d{1,2}\.|^[*#.?:!_$%<{\[/\\\xe2-]|[@{\[(:/|\s]|\*{4}|^[xX]{1,64}$|[xX*]{8}$"
)
# settings.API_KEY, self.password
_REFERENCE: Final = lazy_pattern(rb"(?:[A-Za-z_]\w{0,40}\.){1,6}[A-Za-z_]\w{0,60}$")
# com.google.android.gms
_PACKAGE: Final = lazy_pattern(
    rb"(?:com|org|net|io|java|javax|android|kotlin|scala|sun)(?:\.[A-Za-z_]\w{0,60}){2,8}$"
)
# ACCESS_TOKEN, YOUR_API_KEY
_EXAMPLE: Final = lazy_pattern(rb"[A-Z]{2,20}(?:_[A-Z]{2,20}){1,5}$")
# A value that begins like this is a sentence about a secret.
_STATEMENT: Final = lazy_pattern(
    rb"(?i)(?:is|was|are|were|has|have|had|must|should|cannot|could|will|would|may|not|no|too|invalid|expired|missing|required|incorrect"
    rb"|wrong|unknown|failed|changed|please|your|enter|this field|field|does)\s{1,8}[a-z]"
)
_WORDS_ONLY: Final = lazy_pattern(rb"[A-Za-z]{1,20}(?:[ _-][A-Za-z]{1,20}){0,8}$")
_SHORT_NUMBER: Final = lazy_pattern(
    rb"[-+]?\d{1,5}(?:[.,:/]\d{1,5}){0,3}(?:ms|s|m|h|d|%|kb|mb|b)?$", re.IGNORECASE
)
# Base64 may begin with a slash, too.
_DIRECTORY: Final = lazy_pattern(
    rb"(?!/(?=[A-Za-z/]{0,12}\d)(?=[a-z0-9/]{0,12}[A-Z])[A-Za-z0-9+/]{16,100}={0,2}$)(?:[/~.\\]|[A-Za-z]:[\\/]|%2[Ff])"
)
_VERSION: Final = rb"(?:\d{1,2}:)?v?\d{1,20}(?:[._-]\d{1,20}){1,5}(?:[.+~-][A-Za-z]{0,10}\d{0,4}|[a-z]{1,10}\d{0,4}){0,4}"
_IS_VERSION: Final = lazy_pattern(_VERSION + b"$")
_NO_SECRET_SHAPE: Final = lazy_pattern(
    rb"""(?x)
    (?: S-1-\d{1,10}(?:-\d{1,10}){0,16}                                         # a Windows security identifier
      | [a-z][a-z0-9+.-]{1,20}:/{1,3}[^\s]*+                      # an address; credentials in it are found by themselves
      | (?:[/~.]|[A-Za-z]:\\|\\{1,4}(?=[A-Z]{3})|HK[A-Z_]{2,20}\\)[\w./\\~+-]*+                        # a path
      | \d{4}-\d\d-\d\d(?:[T ].{0,40})?                               # a date
      | \d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?(?:/\d{1,3})?(?:-?>\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?)?    # an address of the internet protocol
      | VERSION
      | [\d.,:_/+-]++(?:[a-zA-Z%]{1,3})?                          # a number with its unit
      | 0x[0-9a-fA-F]{1,16}
      | [a-z][a-z_]{1,30}=(?:[\d.]{1,12}|[a-z][a-z_-]{1,30})            # a count, a choice: prompt=512, grant_type=password
      | [a-z_]{1,30}(?:\.[A-Za-z_]{1,40}){1,5}                      # a reference in code
      | (?:[A-Z][a-z]{2,15}){2,3}                                 # the name of a class
      | [A-Za-z]{1,12}:\d{1,6}                                     # a name and its number
      | [A-Z]{2,10}/\d(?:\.\d)?                                    # a protocol
      | [a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){0,8}\.[A-Za-z]{2,10}(?::\d{1,5})?   # a host or a file
      | (?![Pp]@[s5$]{2})[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){0,8}?\.[A-Za-z]{2,24}     # a mail address
      | (?![Pp]@[s5$]{2})[a-z][a-z0-9._-]{0,63}@[a-z][a-z0-9.-]{0,63}               # a user of a host
      # A name with a number. In random letters of both cases, some lower-case ones stand alone.
      | (?: [A-Za-z]{1,12} | [A-Z]{1,30} | (?:[A-Z]{0,4}[a-z]{2,20}){1,6} ) (?:\d{1,2}|[_.-]\d{1,4})
      | [a-z]{1,40}(?:[_-](?:[a-z]{1,20}|\d{1,4}|[a-z0-9]{5}|[a-f0-9]{8,10})){1,8}   # words with hyphens, as Kubernetes names things
    )$
    """.replace(b"VERSION", _VERSION)
)
# hunter2, p@ssw0rd, correct-horse-battery-staple
_PASSWORD_FORM: Final = lazy_pattern(
    rb"""(?x)
    (?= [A-Za-z@$!_]{0,30}\d ) (?= [\d@$!_]{0,30}[A-Za-z] ) [A-Za-z\d@$!_]{6,64}$
    | [a-z]{2,15}(?:-[a-z]{2,15}){3,7}$
    """
)
# Endings of words that describe a password: `required`, `missing`, `readable`. Other endings are
# also those of passwords, such as `lavender`.
_DESCRIPTIVE_ENDING: Final = lazy_pattern(rb"(?:ed|ing|able|ible|less|ly)$")
_DESCRIPTIONS: Final = words(
    "weak strong short long simple easy hard common blank old new same different safe secure fine "
    "good bad great correct right plain stale visible available done over here there also only "
    "already still now being case-sensitive unsafe insecure unique gone shared kept private public "
    "yours mine ours theirs mandatory part one two three encrypted at-rest in-use up down out as "
    "stored sent shown set seen broken hidden written chosen taken given lost kaput"
    " longer shorter stronger weaker older newer simpler easier harder safer better higher bigger "
    "smaller greater earlier another either neither together whether however whatever forever "
    "latest longest shortest strongest weakest almost against proper improper"
    " optional original normal unequal identical critical trivial special global internal external "
    "personal initial minimal optimal unusual manual partial illegal virtual numerical "
    "confidential essential universal general individual residual additional conditional "
    "hexadecimal literal"
    " unknown unshown forgotten rotten overwritten mistaken"
    " static dynamic public numeric alphanumeric automatic generic specific cryptic symmetric "
    "asymmetric alphabetic"
    " ordinary temporary necessary unnecessary primary secondary arbitrary binary absent different "
    "current recent permanent sufficient insufficient consistent inconsistent persistent "
    "transparent evident relevant irrelevant important redundant constant significant compliant "
    "equivalent"
    " sensitive insensitive case-insensitive inactive exclusive inclusive restrictive excessive "
    "obvious previous various dangerous anonymous ambiguous erroneous useful successful "
    "unsuccessful harmful compulsory obligatory satisfactory"
    " beyond instead behind second placeholder builtin default"
)
_PLAIN_WORDS: Final = lazy_pattern(rb"[A-Za-z]{2,20}(?:[ ][A-Za-z]{2,20}){1,5}$")
# Words of remarks in brackets after `pass:`, which may also be the result of a test.
_ABOUT_TESTS: Final = words(
    "test tests run runs attempt attempts try tries check checks step stage build all first second "
    "third last next very quite so minimum maximum characters chars letters only case"
)
_PLAIN_WORD: Final = lazy_pattern(rb"[a-z]{6,24}$")
# The name of a test after `PASS:`.
TEST_NAME: Final = lazy_pattern(rb"(?:Test|test|Bench|Example|Fuzz)|[\w.-]{1,80}(?:/|::)")
_CODE: Final = lazy_pattern(rb"[A-Za-z0-9._~/!$*+%-]{4,}")
_SMALL_NUMBER: Final = lazy_pattern(rb"\d{1,5}(?=[\s,;.)]|$)")
# After `pass:`, which may also be the result of a test: not a word with a short number.
_PASS_VALUE: Final = lazy_pattern(rb"(?=[A-Za-z]{0,30}\d)[A-Za-z0-9]{6,64}$")
_DECIMAL: Final = lazy_pattern(rb"\d{1,3}\.\d{1,3}$")
_HAS_BLANK: Final = lazy_pattern(rb"\s")
_HAS_DIGIT: Final = lazy_pattern(rb"\d")
_HAS_LETTER: Final = lazy_pattern(rb"[A-Za-z]")
_UUID: Final = lazy_pattern(rb"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$")
_CHANGE: Final = lazy_pattern(rb"[A-Za-z][0-9]|[0-9][A-Za-z]")
_HAS_SPECIAL: Final = lazy_pattern(rb"[!@#$%^&*+=~?]")
# Only this many bytes of a doubtful value are checked.
_LONGEST_DOUBTFUL: Final = 1024


def is_ordinary(value: bytes) -> bool:
    """Whether a value is an ordinary word, a placeholder, or a sentence about a secret."""
    word = value.strip(b"()<>[]{}.,:;!? ")
    if not word or word.lower() in _ORDINARY:
        return True
    if b"." in value and _REFERENCE.match(value) and name_kind(value) is not NameKind.PLAIN:
        return True
    if b"." in value and _PACKAGE.match(value):
        return True
    if b"_" in value and _EXAMPLE.match(value) and name_kind(value) is not NameKind.PLAIN:
        return True
    return bool(_HAS_SIGN.search(value) and (_PLACEHOLDER.match(value) or _STATEMENT.match(value)))


def looks_secret(value: bytes, *, shortest: int = 6) -> bool:
    """Whether a value can only be a secret: not prose, a path, a number, a date or a name."""
    if len(value) < shortest or _HAS_BLANK.search(value):
        return False
    if is_ordinary(value) or _NO_SECRET_SHAPE.match(value) or _MARKS[0] in value:
        return False
    if not _HAS_LETTER.search(value):
        return len(value) >= 16 and not value.isdigit()
    if _HAS_DIGIT.search(value):
        return True
    if _HAS_SPECIAL.search(value):
        return len(value) >= 8
    return len(value) >= 20 and value != value.lower() and not _WORDS_ONLY.match(value)


def is_version(value: bytes) -> bool:
    """Whether a value is the version of a program: `1.2.3-SNAPSHOT`, `1:4.13+dfsg1-1`."""
    return bool(_IS_VERSION.match(value))


def is_uuid(value: bytes) -> bool:
    """Whether a value is a UUID, in either letter case."""
    return bool(_UUID.match(value))


def looks_random(value: bytes) -> bool:
    """Whether a value is a secret by its form alone, without a name: with letters in both cases and
    digits, or with many changes between letters and digits. Identifiers such as UUIDs are not.
    """
    if not looks_secret(value, shortest=8) or is_uuid(value):
        return False
    if not (_HAS_DIGIT.search(value) and _HAS_LETTER.search(value)):
        return bool(_HAS_SPECIAL.search(value))
    is_mixed = value.lower() != value and value.upper() != value
    return is_mixed or len(_CHANGE.findall(value[:128])) >= 4 or bool(_HAS_SPECIAL.search(value))


def looks_like_password(value: bytes) -> bool:
    """Whether a word looks like a password that a sentence states: letters and digits, or at least
    four words joined by hyphens.
    """
    return bool(_PASSWORD_FORM.match(value)) and not is_ordinary(value)


def looks_stated(value: bytes) -> bool:
    """Whether a word looks like a secret in a place where a sentence or a setting may state one."""
    return looks_random(value) or looks_like_password(value)


def is_password_word(word: bytes) -> bool:
    """Whether a word without digits after `password is` is the password rather than a description
    of it.
    """
    return bool(_PLAIN_WORD.match(word)) and not (
        is_ordinary(word)
        or word in _DESCRIPTIONS
        or word in WORDS_OF_SENTENCES
        or is_about_secret(word)
        or _DESCRIPTIVE_ENDING.search(word)
    )


def may_be_secret(value: bytes) -> bool:
    """Whether a value where a secret is expected is one: anything but an ordinary word, a
    placeholder, or a mark of redaction.
    """
    return is_secret(NameKind.SECRET, value, prose=False)


def is_passphrase(text: bytes) -> bool:
    """Whether a text in quotes after `password is` is a passphrase of plain words rather than a
    description such as `not set`.
    """
    if not _PLAIN_WORDS.match(text):
        return False
    parts = text.lower().split()
    last = parts[-1]
    if any(word in _ORDINARY or word in _ABOUT_TESTS for word in parts):
        return False
    return last not in _DESCRIPTIONS and not last.endswith((b"ed", b"ing", b"able", b"ible"))


def is_secret(kind: NameKind, value: bytes, *, prose: bool) -> bool:
    """Whether the value of a name of this kind is to be removed. `prose` means that a colon and a
    blank precede it, as in a sentence.
    """
    if not value or value in _MARKS or kind is NameKind.PLAIN:
        return False
    if kind is NameKind.DOUBTFUL:
        return looks_secret(value[:_LONGEST_DOUBTFUL])
    if kind is NameKind.CODE:
        return (
            bool(_CODE.match(value))
            and not (is_ordinary(value) or _DECIMAL.match(value))
            and bool(_HAS_DIGIT.search(value[:64]))
        )
    if is_ordinary(value):
        return False
    if kind is NameKind.PASS:
        return not _SHORT_NUMBER.match(value) and (
            not prose or looks_secret(value[:256], shortest=4) or bool(_PASS_VALUE.match(value))
        )
    if kind is NameKind.DIRECTORY:
        return not _DIRECTORY.match(value)
    return not (prose and _SMALL_NUMBER.match(value))
