"""Which values are secrets, and which are ordinary words, placeholders, paths or numbers."""

from __future__ import annotations

import re
from typing import Final

from providers.patterns import lazy_pattern
from providers.redaction.names import NameKind, name_kind, words
from providers.redaction.secret import MARK, REST_MARK

_MARKS: Final = (MARK.encode(), MARK.encode() + REST_MARK)

# Ordinary words where a secret could stand: states, types, articles.
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
    " sha1 sha256 sha512 hmac rsa jwt oauth oauth2 saml ldap kerberos gssapi ntlm negotiate "
    "digest publickey keyboard-interactive"
    " token credentials authentication authorization authenticated unauthenticated authorized "
    "validation verification verified checking checked check skipped"
    " skipping using trying got expecting expected unexpected end eof hidden password passwd passwort base32 base64 utf8 "
    "utf-8 sha224 sha384 ssha argon2 argon2id pbkdf2 md4 aes128 aes256 x509 hex \\N 0 1 -1"
    # The same in other languages, and their words for a password.
    " erforderlich falsch ungültig abgelaufen requerida requerido incorrecta incorrecto inválida "
    "obligatoire requis incorrect expiré richiesta obbligatoria errata verplicht onjuist "
    "contraseña senha kennwort wachtwoord heslo parola"
)
# Placeholders, paths of secret files, objects of Java; looked for only where _HAS_SIGN finds
# something.
_PLACEHOLDER: Final = lazy_pattern(
    rb"""(?xi)
    (?:
        (?:[*\#x.?_-]|\xe2\x80\xa2){1,64}$
      | \$\{[\w.]{0,100}(?::(?:[+?][^}]{0,200}|[-=]?(?:\$\{?\w{0,64})?)?)?\}{0,2}$ | \{\{[^}]{0,200}(?:\}\}?)?$ | \$\([^)]{0,200}\)?$ | %\(\w{1,40}\)s?$ | <(?!\w{0,40}\d[A-Za-z]{1,3}\d)[\w -]{1,40}>?$ | %[sdvq]$ | \$[A-Z_][A-Z0-9_]{0,64}$ | \$\d{1,3}$ | \?$ | :[a-z_]\w{0,40}$
      | \[(?:redacted|filtered|hidden|masked|removed)\]?$ | ![a-z]{2,20}$
      | [A-Za-z_][\w.]{1,60}(?:\(\)?|\(\d{1,5}(?:,[ ]?\d{1,5})?\)?|\[)$             # a call, varchar(64
      | mot[ ]de[ ]passe$
      | \d{1,2}(?:\.\d{1,3}){2}$
      | (?-i:[a-z]{2,30}(?:-[a-z0-9]{1,10}){0,6}/[a-z]{2,30}(?:-[a-z0-9]{1,10}){0,6})$   # a thing of Kubernetes in its namespace
      | env:\w{1,64}$ | file:[/~.\w-]{1,200}$ | //
      | /(?:etc|run|var|home|usr|opt|tmp|mnt|root|srv|dev|proc|app|secrets)/[\w./-]{1,200}$
      | (?:[a-z][a-z0-9_]{0,40}\.){1,8}[A-Za-z][\w-]{0,60}[@{\[(:/]      # a class of Java and its object, a type of Kubernetes
      | [A-Za-z]{1,40}(?:\[|\{|@[0-9a-f]{3,16}$)                       # Token{, Token@1a2b
    )
    """
)
_HAS_SIGN: Final = lazy_pattern(rb"^\d{1,2}\.|^[*#.?:!_$%<{\[/\\\xe2-]|[@{\[(:/\s]|^[xX]{1,64}$")
# settings.API_KEY, self.password
_REFERENCE: Final = lazy_pattern(rb"(?:[A-Za-z_]\w{0,40}\.){1,6}[A-Za-z_]\w{0,60}$")
# A quoted value that begins like this is a sentence about a secret.
_STATEMENT: Final = lazy_pattern(
    rb"(?i)(?:is|was|are|were|has|have|had|must|should|cannot|could|will|would|may|not|no|too|invalid|expired|missing|required|incorrect"
    rb"|wrong|unknown|failed|changed|please|your|enter|this field|field|does)\s{1,8}[a-z]"
)
_WORDS_ONLY: Final = lazy_pattern(rb"[A-Za-z]{1,20}(?:[ _-][A-Za-z]{1,20}){0,8}$")
_SHORT_NUMBER: Final = lazy_pattern(
    rb"[-+]?\d{1,5}(?:[.,:/]\d{1,5}){0,3}(?:ms|s|m|h|d|%|kb|mb|b)?$", re.IGNORECASE
)
_DIRECTORY: Final = lazy_pattern(rb"(?:[/~.\\]|[A-Za-z]:[\\/]|%2[Ff])")
_NO_SECRET_SHAPE: Final = lazy_pattern(
    rb"""(?x)
    (?: S-1-\d{1,10}(?:-\d{1,10}){0,16}                                         # a Windows security identifier
      | [a-z][a-z0-9+.-]{1,20}:/{1,3}[^\s]*+                      # an address; credentials in it are found by themselves
      | (?:[/~.]|[A-Za-z]:\\)[\w./\\~+-]*+                        # a path
      | \d{4}-\d\d-\d\d(?:[T ].{0,40})?                               # a date
      | \d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?(?:/\d{1,3})?                # an address of the internet protocol
      | v?\d{1,20}(?:[._-]\d{1,20}){1,5}(?:[.-]?[a-z]{1,10}\d{0,4})?           # a version
      | [\d.,:_/+-]++(?:[a-zA-Z%]{1,3})?                          # a number with its unit
      | 0x[0-9a-fA-F]{1,16}
      | [a-z][a-z_]{1,30}=[\d.]{1,12}                              # a count: prompt=512
      | [A-Z]{2,10}/\d(?:\.\d)?                                    # a protocol
      | [a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){0,8}\.[A-Za-z]{2,10}(?::\d{1,5})?   # a host or a file
      | (?![Pp]@[s5$]{2})[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){0,8}?(?:\.[A-Za-z]{2,24})?     # a mail address
      | [A-Za-z]{1,30}(?:\d{1,2}|[_.-]\d{1,4})                    # a name with a number
      | [a-z]{1,40}(?:[_-](?:[a-z]{1,20}|\d{1,4}|[a-z0-9]{5}|[a-f0-9]{8,10})){1,8}   # words with hyphens, as Kubernetes names things
    )$
    """
)
# hunter2, p@ssw0rd, correct-horse-battery-staple
_STATED: Final = lazy_pattern(
    rb"""(?x)
    (?= [A-Za-z@$!_]{0,30}\d ) (?= [\d@$!_]{0,30}[A-Za-z] ) [A-Za-z\d@$!_]{6,64}$
    | [a-z]{2,15}(?:-[a-z]{2,15}){3,7}$
    """
)
# How a word ends that says what a password is like: `required`, `missing`, `readable`.
_SAYS_HOW: Final = lazy_pattern(
    rb"(?:ed|ing|able|ible|ful|less|ous|ive|ory|ary|ent|ant|ic|al|ly|own|ten|st|er|d)$"
)
_STATE: Final = words(
    "weak strong short long simple easy hard common blank old new same different safe secure fine "
    "good bad great correct right plain stale visible available done over here there also only "
    "already still now being case-sensitive unsafe insecure unique gone shared kept private public "
    "yours mine ours theirs mandatory part one two three encrypted at-rest in-use up down out as "
    "stored sent shown set seen broken hidden written chosen taken given lost kaput"
)
_PLAIN_WORD: Final = lazy_pattern(rb"[a-z]{6,24}$")
# The name of a test behind `PASS:`.
TEST_NAME: Final = lazy_pattern(rb"(?:Test|test|Bench|Example|Fuzz)|[\w.-]{1,80}(?:/|::)")
_CODE: Final = lazy_pattern(rb"[A-Za-z0-9-]{4,}")
_SMALL_NUMBER: Final = lazy_pattern(rb"\d{1,5}(?=[\s,;.)]|$)")
# Behind `pass:`, which may be the outcome of a test: no word with a small number.
_PASS_VALUE: Final = lazy_pattern(rb"(?=[A-Za-z]{0,30}\d)[A-Za-z0-9]{6,64}$")
_HAS_BLANK: Final = lazy_pattern(rb"\s")
_HAS_DIGIT: Final = lazy_pattern(rb"\d")
_HAS_LETTER: Final = lazy_pattern(rb"[A-Za-z]")
_UUID: Final = lazy_pattern(rb"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$")
_CHANGE: Final = lazy_pattern(rb"[A-Za-z][0-9]|[0-9][A-Za-z]")
_HAS_SPECIAL: Final = lazy_pattern(rb"[!@#$%^&*+=~?]")
# Behind this length a doubtful value is not read any further.
_LONGEST_DOUBTFUL: Final = 1024


def is_ordinary(value: bytes) -> bool:
    """Whether a value is an ordinary word, a placeholder, or a sentence about a secret."""
    word = value.strip(b"()<>[]{}.,:;!? ")
    if not word or word.lower() in _ORDINARY:
        return True
    if b"." in value and _REFERENCE.match(value) and name_kind(value) is not NameKind.PLAIN:
        return True
    return bool(_HAS_SIGN.search(value) and (_PLACEHOLDER.match(value) or _STATEMENT.match(value)))


def looks_secret(value: bytes, *, shortest: int = 6) -> bool:
    """Whether a value reads as nothing but a secret: no prose, no path, no number, no date, no
    name.
    """
    if len(value) < shortest or _HAS_BLANK.search(value):
        return False
    if is_ordinary(value) or _NO_SECRET_SHAPE.match(value):
        return False
    if not _HAS_LETTER.search(value):
        return len(value) >= 16 and not value.isdigit()
    if _HAS_DIGIT.search(value):
        return True
    if _HAS_SPECIAL.search(value):
        return len(value) >= 8
    return len(value) >= 20 and value != value.lower() and not _WORDS_ONLY.match(value)


def looks_random(value: bytes) -> bool:
    """Whether a value reads as a secret by its shape alone, without a name: letters in
    upper and lower case with digits among them, or many changes between letters and digits. An
    identifier such as a UUID is none.
    """
    if not looks_secret(value, shortest=8) or _UUID.match(value):
        return False
    if not (_HAS_DIGIT.search(value) and _HAS_LETTER.search(value)):
        return bool(_HAS_SPECIAL.search(value))
    is_mixed = value.lower() != value and value.upper() != value
    return is_mixed or len(_CHANGE.findall(value[:128])) >= 4 or bool(_HAS_SPECIAL.search(value))


def looks_stated(value: bytes) -> bool:
    """Whether a word behind `password is` or the like is the password: letters with digits among
    them, or four words and more with hyphens.
    """
    return bool(_STATED.match(value)) and not is_ordinary(value)


def is_plain_password(word: bytes) -> bool:
    """Whether a word without digits behind `password is` is the password, rather than what is said
    about it.
    """
    return bool(_PLAIN_WORD.match(word)) and not (
        is_ordinary(word) or word in _STATE or _SAYS_HOW.search(word)
    )


def is_secret(kind: NameKind, value: bytes, *, prose: bool) -> bool:
    """Whether the value of a name of that kind is to be taken out. `prose`: a colon and a blank
    stand in front, as in a sentence.
    """
    if not value or value in _MARKS or kind is NameKind.PLAIN:
        return False
    if kind is NameKind.DOUBTFUL:
        return looks_secret(value[:_LONGEST_DOUBTFUL])
    if kind is NameKind.CODE:
        return (
            bool(_CODE.match(value))
            and not is_ordinary(value)
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
