"""Token formats that can be recognised anywhere, without a name. One row per format.

The prefixes and lengths follow the vendors' documentation and the rule set of gitleaks (MIT
licence), used as data. Minimum lengths are lower than the vendors' own, since a token that was cut
is still worth hiding. `sample` completes a prefix to a token of the format; it is generated, so
that no source file holds anything a secret scanner would report.
"""

from __future__ import annotations

from base64 import b64encode
from string import ascii_letters, digits
from typing import Final, NamedTuple

_LETTERS: Final = "Kq7vX2mZ9tRb4WnP6yLc8HsJ3dGf5TaE1xUoDzVgNiMhSwQeYrBkCpFjA0lu"
_HEX: Final = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


def letters(count: int) -> str:
    """`count` mixed letters and digits, always the same."""
    return (_LETTERS * (count // len(_LETTERS) + 1))[:count]


def hexes(count: int) -> str:
    """`count` hexadecimal digits, always the same."""
    return (_HEX * (count // len(_HEX) + 1))[:count]


UUID: Final = f"{_HEX[:8]}-{_HEX[8:12]}-{_HEX[12:16]}-{_HEX[16:20]}-{_HEX[20:32]}"

ALNUM: Final = r"[A-Za-z0-9]"
WORD: Final = r"[A-Za-z0-9_-]"
HEX: Final = r"[A-Fa-f0-9]"
BASE64: Final = r"[A-Za-z0-9+/]"
UUID_PATTERN: Final = r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
# The form of a UUID, but not only with hexadecimal digits.
_UUID_OF_LETTERS: Final = r"[0-9A-Za-z]{8}(?:-[0-9A-Za-z]{4}){3}-[0-9A-Za-z]{12}"
# A slash as plain text, in JSON, or in a query string.
_SLASH: Final = r"(?:\\{0,8}/|%(?:25)?2[Ff])"
_URL_REST: Final = r"(?:[A-Za-z0-9_.~@:+?=-]|%[0-9A-Fa-f]{2}|\\{0,8}/)"
# The secret access key may follow its key id on the same line.
_FOLLOWING_KEY: Final = r"(?:[\s,:;|\"'\\/]{1,8}(?:[A-Za-z_ -]{0,24}[=:][\s\"']{0,3})?([A-Za-z0-9+/]{40})(?![A-Za-z0-9+/=]))?"

# Upper-case letters, lower-case letters and digits follow.
MIXED_AHEAD: Final = r"(?=[a-z0-9_-]{0,26}[A-Z])(?=[A-Z0-9_-]{0,26}[a-z])(?=[A-Za-z_-]{0,26}\d)"
_MIXED_13: Final = r"(?=[a-z0-9]{0,12}[A-Z])(?=[A-Z0-9]{0,12}[a-z])(?=[A-Za-z]{0,12}\d)"
_BASE58: Final = r"[1-9A-HJ-NP-Za-km-z]"
# How private keys begin in Base64, after "MI": RSA, DSA and EC keys, PKCS 8 (plain and encrypted),
# PKCS 12. Certificates begin differently.
_DER_LONG_KEY: Final = r"[A-Za-z0-9+/]{3}(?:IBAAK[BC]|IBAAJ|IBADANBgkqhkiG|IBADCCA|IBAzC|B[OJW]BgkqhkiG9w0BBQ0|AcBgoqhkiG9w0BDAE)"
_DER_SHORT_KEY: Final = r"[HTkcu2]AgEA(?:MB[AM]GByqGSM49)|[kc]AgEBB"
_KEY_BODY: Final = (
    r"(?:[A-Za-z0-9+/]|\\{1,4}[nr](?=[A-Za-z0-9+/]{16}|[A-Za-z0-9+/]{1,15}=)){40,}+={0,2}"
)
# The tag of an image, an entity tag of HTTP, or a release.
_VERSION_FOLLOWS: Final = r"(?i)(?:(?:[\w.-]/|\bimage\\{0,8}[\"']?[ ]?[:=][ ]?\\{0,8}[\"']?)[\w.-]{1,64}:|(?:tag|if-none-match|if-match|version|release|revision)\\{0,8}[\"']?[ ]?[:=][ ]?(?:W/)?\\{0,8}[\"']?|W/\\{0,8}\")$"
# Bot tokens of Discord begin with the Base64 of an account's digits.
_DIGITS: Final = "0123456789"
DISCORD_PREFIXES: Final = tuple(
    sorted({b64encode((a + b + "0").encode()).decode()[:3] for a in _DIGITS[1:] for b in _DIGITS})
)


class TokenFormat(NamedTuple):
    """A format: a fixed text by which it is found, and the regular expression of what follows.

    `before` is the part of the token before the fixed text, and `before_length` its length. If
    `rest` has groups, only they are removed, otherwise the whole token is. `is_word` formats have
    to be at the beginning of a word. `not_after` is the end of a text after which the same form is
    something else.
    """

    name: str
    prefixes: tuple[str, ...]
    rest: str
    sample: str
    is_word: bool = True
    before: str = ""
    before_length: int = 0
    not_after: str = ""

    @property
    def example(self) -> str:
        """A complete token of the format."""
        return self.sample if self.before else self.prefixes[0] + self.sample


def _simple(
    name: str, prefixes: str, rest: str, sample: str, *, is_word: bool = True, not_after: str = ""
) -> TokenFormat:
    return TokenFormat(name, tuple(prefixes.split()), rest, sample, is_word, not_after=not_after)


def _inside(name: str, hint: str, before: str, length: int, rest: str, sample: str) -> TokenFormat:
    return TokenFormat(name, (hint,), rest, sample, before=before, before_length=length)


TOKEN_FORMATS: Final = (
    # Chat
    _simple("Slack", "xox", r"(?:[a-np-z][.-](?=[^\s\d/]{0,60}\d)|o-(?=\d))[A-Za-z0-9%_.+/=-]{8,}+", "b-123456789012-123456789012-" + letters(24), is_word=False),
    _simple("Slack app", "xapp- xwfp-", r"[A-Za-z0-9-]{8,}+", "1-A0123456789-1234567890123-" + hexes(64), is_word=False),
    _simple("Slack webhook", "hooks.slack.com", rf"{_SLASH}(?:services|workflows|triggers|commands)({_SLASH}{_URL_REST}{{8,}}+)", "/services/T01234567/B01234567/" + letters(24), is_word=False),
    _simple("Teams webhook", "webhook.office.com", rf"{_SLASH}webhookb2({_SLASH}{_URL_REST}{{8,}}+)", f"/webhookb2/{UUID}@{UUID}/IncomingWebhook/{hexes(32)}/{UUID}", is_word=False),
    _simple("Outlook webhook", "outlook.office.com outlook.office365.com", rf"{_SLASH}webhook({_SLASH}{_URL_REST}{{8,}}+)", f"/webhook/{UUID}@{UUID}/IncomingWebhook/{hexes(32)}/{UUID}", is_word=False),
    _simple("Discord webhook", "discord.com discordapp.com", rf"{_SLASH}api{_SLASH}(?:v\d{{1,2}}{_SLASH})?webhooks({_SLASH}{_URL_REST}{{8,}}+)", "/api/webhooks/123456789012345678/" + letters(68), is_word=False),
    _simple("Zapier webhook", "hooks.zapier.com", rf"{_SLASH}hooks{_SLASH}catch({_SLASH}{_URL_REST}{{4,}}+)", "/hooks/catch/1234567/" + letters(7), is_word=False),
    _simple("IFTTT webhook", "maker.ifttt.com", rf"[^\s\"'<>]{{0,120}}?{_SLASH}key({_SLASH}{WORD}{{8,}}+)", "/trigger/oven/with/key/" + letters(22), is_word=False),
    _simple("Mattermost webhook", "/hooks/ \\/hooks\\/", r"([a-z0-9]{26})(?![A-Za-z0-9])", hexes(26), is_word=False),
    _simple("Rocket.Chat webhook", "/hooks/", r"([A-Za-z0-9]{17}/[A-Za-z0-9]{40,64})(?![A-Za-z0-9])", letters(17) + "/" + letters(43), is_word=False),
    _simple("Tines webhook", "/webhook/", r"([a-z0-9]{32}/[a-z0-9]{32})(?![A-Za-z0-9])", hexes(32) + "/" + hexes(32), is_word=False),
    _simple("Make webhook", ".make.com hook.integromat.com", rf"({_SLASH}[a-z0-9]{{24,}}+)", "/" + hexes(32), is_word=False),
    _simple("Sumo Logic collector", "/receiver/v1/http/", r"([A-Za-z0-9_+/-]{40,}+={0,2})", letters(100) + "==", is_word=False),
    _simple("PagerDuty integration", "events.pagerduty.com", rf"{_SLASH}(?:integration|x-ere){_SLASH}([A-Za-z0-9]{{20,}}+)", "/integration/" + hexes(32), is_word=False),
    TokenFormat("Discord bot", DISCORD_PREFIXES, rf"{WORD}{{18,24}}\.{WORD}{{6}}\.{WORD}{{27,}}+", letters(21) + "." + letters(6) + "." + letters(38)),
    _simple("Discord with two factors", "mfa.", rf"{WORD}{{80,}}+", letters(84)),
    _simple("Expo push", "ExponentPushToken ExpoPushToken", r"\[[A-Za-z0-9_-]{20,40}\]", "[" + letters(22) + "]"),
    _simple("Feishu webhook", "open.feishu.cn open.larksuite.com", rf"{_SLASH}open-apis{_SLASH}bot{_SLASH}(?:v2{_SLASH})?hook({_SLASH}{_URL_REST}{{8,}}+)", f"/open-apis/bot/v2/hook/{UUID}", is_word=False),
    # With its last letter, the third prefix would cost Hyperscan 40 MB to compile.
    TokenFormat("Telegram bot", (":AA", "%3AAA", "%253AA"), rf"{WORD}{{30,}}+", "1234567890:AA" + letters(33), before=r"\d{8,10}", before_length=10),
    # Clouds
    _simple("AWS access key", "AKIA ASIA ABIA ACCA", rf"[A-Z0-9]{{16}}(?![A-Za-z0-9]){_FOLLOWING_KEY}", "IOSFODNN7EXAMPLQ"),
    _simple("AWS key of an older kind", "A3T", r"[A-Z0-9]{17}(?![A-Za-z0-9])", "XIOSFODNN7EXAMPLQ"),
    _simple("AWS Bedrock key", "ABSK", rf"{BASE64}{{100,}}+={{0,2}}", letters(112)),
    _simple("AWS Bedrock short-lived key", "bedrock-api-key-", rf"{BASE64}{{20,}}+={{0,2}}", letters(120)),
    _simple("AWS session token", "IQoJb3JpZ2lu FwoGZXIvYXdz", r"(?:[A-Za-z0-9+/]|%2[BbFf]){40,}+(?:=|%3[Dd]){0,2}", letters(300)),
    _simple("Amazon MWS", "amzn.mws. amzn1.oa2-cs.v1.", rf"{WORD}{{20,}}+", UUID),
    _simple("Google API key", "AIza", rf"{WORD}{{30,}}+", letters(35)),
    _simple("Google OAuth access token", "ya29.", r"[A-Za-z0-9_.-]{20,}+", letters(60)),
    _simple("Google OAuth client secret", "GOCSPX-", rf"{WORD}{{20,}}+", letters(28)),
    _simple("Google authorization code", "4/0A", rf"{WORD}{{30,}}+", letters(70)),
    _simple("Google refresh token", "1//0", rf"{WORD}{{30,}}+", letters(60)),
    TokenFormat("Firebase server key", (":APA91b", "%3AAPA91b", "%253AAPA91b"), rf"{WORD}{{60,}}+", "AAAA" + letters(7) + ":APA91b" + letters(134), before=r"AAAA[A-Za-z0-9_-]{7}|[A-Za-z0-9_-]{22}", before_length=22),
    _inside("Azure client secret", "Q~", r"[A-Za-z0-9_~.]{3}\d", 4, r"[A-Za-z0-9_~.-]{31,40}", letters(3) + "8Q~" + letters(34)),
    _simple("DigitalOcean", "dop_v1_ doo_v1_ dor_v1_", rf"{HEX}{{32,}}+", hexes(64)),
    _simple("DigitalOcean Spaces", "DO00 DO80", rf"[A-Z0-9]{{16}}(?![A-Za-z0-9]){_FOLLOWING_KEY}", "K7VX2MZ9TRB4WNP6"),
    _simple("Alibaba", "LTAI", r"[A-Za-z0-9]{12,}+", letters(20)),
    _simple("Tencent", "AKID", r"[A-Za-z0-9]{28,}+", letters(32)),
    _simple("Yandex", "AQVN YCAJ YCM YCN YCO YCP", r"(?=[A-Za-z_-]{0,20}[0-9])[A-Za-z0-9_-]{21,}+", letters(36)),
    _simple("Yandex IAM", "t1.", rf"{WORD}{{20,}}+={{0,2}}\.{WORD}{{40,}}+={{0,2}}", letters(40) + "." + letters(86)),
    _simple("Yandex OAuth", "y0_ y1_ y2_ y3_", rf"{WORD}{{30,}}+", letters(55)),
    _simple("Scaleway", "SCW", r"[A-Z0-9]{17}(?![A-Za-z0-9])", "K7VX2MZ9TRB4WNP6Y"),
    _simple("Google HMAC", "GOOG", r"[A-Z0-9]{20}(?:[A-Z0-9]{37})?(?![A-Za-z0-9])", "1E" + "K7VX2MZ9TRB4WNP6Y2K7VX2MZ9TRB4WNP6Y2K7VX2MZ9TRB4WNP6Y22"),
    _simple("Volcengine", "AKLT", rf"{ALNUM}{{36,}}+", letters(43)),
    _simple("Baidu", "bce-v3/ALTAK-", rf"{ALNUM}{{16,}}+/{HEX}{{32,}}+", letters(21) + "/" + hexes(40)),
    _simple("Backblaze", "K00", r"\d[A-Za-z0-9+/]{26,}+", "2" + letters(27)),
    _simple("Cloudflare origin CA", "v1.0-", r"[A-Za-z0-9-]{80,}+", hexes(24) + "-" + hexes(146)),
    _simple("Cloudflare", "cfut_ cfat_ cfk_", rf"{WORD}{{30,}}+", letters(40)),
    _simple("Heroku", "HRKU-", rf"{WORD}{{30,}}+", "AA" + letters(58)),
    _simple("Fly.io", "fo1_", rf"{WORD}{{40,}}+", letters(43)),
    _simple("Fly.io macaroon", "fm1r_ fm1a_ fm2_ fm3_ fm4_", r"[A-Za-z0-9+/_=,-]{60,}+", letters(120)),
    _simple("Netlify", "nfp_ nfc_ nfo_ nfu_ nfb_", rf"{ALNUM}{{30,}}+", letters(36)),
    _simple("Vercel", "vcp_ vci_ vca_ vcr_ vck_ vercel_blob_rw_", r"[A-Za-z0-9_]{20,}+", letters(56)),
    _simple("Render", "rnd_", rf"{ALNUM}{{20,}}+", letters(32)),
    _simple("Supabase", "sbp_", rf"(?:v0_|oauth_)?{ALNUM}{{32,}}+", hexes(40)),
    _simple("Supabase key", "sb_secret_", rf"{WORD}{{16,}}+", letters(31)),
    _simple("Neon", "napi_", rf"{ALNUM}{{30,}}+", letters(64)),
    _simple("PlanetScale", "pscale_", r"(?:tkn|oauth|pw)_[A-Za-z0-9=._-]{20,}+", "tkn_" + letters(43)),
    _simple("Deno", "ddp_ ddo_ ddw_", rf"{ALNUM}{{30,}}+", letters(36)),
    _simple("Scalingo", "tk-us-", rf"{WORD}{{40,}}+", letters(48)),
    _simple("Tailscale", "tskey-", r"[a-z]{2,12}-[A-Za-z0-9-]{16,}+", "auth-" + letters(16) + "-" + letters(32)),
    _simple("Akamai EdgeGrid", "akab-", r"[a-z0-9]{12,40}(?:-[a-z0-9]{8,40})?+(?!\.luna|[A-Za-z0-9-])", hexes(16) + "-" + hexes(16)),
    _simple("Databricks", "dapi dkea dose", rf"{HEX}{{32}}(?:-\d)?(?![A-Za-z0-9])", hexes(32)),
    # Source code and packages
    _simple("GitHub", "ghp_ gho_ ghu_ ghs_ ghr_", r"[A-Za-z0-9_.-]{20,}+", letters(36), is_word=False),
    _simple("GitHub fine-grained", "github_pat_", r"[A-Za-z0-9_]{20,}+", letters(22) + "_" + letters(59), is_word=False),
    _simple("GitHub App", "v1.", rf"{HEX}{{40}}(?![A-Za-z0-9])", hexes(40), not_after=_VERSION_FOLLOWS),
    _simple("GitLab", "glpat- gldt- glrt- glrtr- glft- gloas- glsoat- glptt- glagent- glcbt- glimt- glffct- glwt-", r"[A-Za-z0-9_.-]{16,}+", letters(20), is_word=False),
    _simple("GitLab runner registration", "GR1348941", rf"{WORD}{{16,}}+", letters(20)),
    _simple("Bitbucket", "ATBB", rf"{ALNUM}{{24,}}+", letters(32)),
    _simple("Bitbucket Data Center", "BBDC-", r"[A-Za-z0-9+/@_-]{40,}+", letters(44)),
    _simple("Gitea", "gta_ gto_ gtr_", rf"{HEX}{{40}}|{WORD}{{43,}}+", hexes(40)),
    _simple("Atlassian", "ATATT3 ATCTT3 ATSTT3", r"[A-Za-z0-9_=-]{24,}+", letters(186), is_word=False),
    _simple("Trello", "ATTA", rf"{HEX}{{60,}}+", hexes(72)),
    _simple("npm", "npm_", rf"{ALNUM}{{30,}}+", letters(36)),
    _simple("PyPI", "pypi-", rf"(?=Ag){WORD}{{30,}}+", "AgEIcHlwaS5vcmc" + letters(140)),
    _simple("RubyGems", "rubygems_", rf"{ALNUM}{{32,}}+", hexes(48)),
    _simple("crates.io", "cio", rf"{ALNUM}{{32}}(?![A-Za-z0-9])", letters(32)),
    _simple("Clojars", "CLOJARS_", r"[a-z0-9]{40,}+", hexes(60)),
    _simple("NuGet", "oy2", r"[a-z0-9]{43}(?![A-Za-z0-9])", hexes(43)),
    _simple("Docker", "dckr_pat_ dckr_oat_", rf"{WORD}{{16,}}+", letters(27)),
    _simple("Docker swarm", "SWMTKN-", r"\d-[a-z0-9]{30,}+-[a-z0-9]{20,}+", "1-" + hexes(50) + "-" + hexes(25)),
    _simple("Artifactory", "AKCp", rf"{ALNUM}{{60,}}+", letters(69)),
    _simple("Artifactory reference", "cmVmd", rf"{ALNUM}{{50,}}+", letters(59)),
    _simple("SonarQube", "squ_ sqp_ sqa_ sqco_", rf"(?:{HEX}{{40}}|{ALNUM}{{50,}}+)", hexes(40)),
    _simple("Sourcegraph", "sgp_ slk_", rf"(?:(?:{HEX}{{16}}|local)_)?{HEX}{{40,}}+", hexes(40)),
    _simple("CircleCI", "CCIPAT_ CCIPRJ_", r"[A-Za-z0-9_]{30,}+", letters(22) + "_" + hexes(40)),
    _simple("Buildkite", "bkua_ bkct_", rf"{ALNUM}{{30,}}+", hexes(40)),
    _inside("Terraform Cloud", ".atlasv1.", r"[A-Za-z0-9]{14}", 14, r"[A-Za-z0-9_=-]{40,}+", letters(14) + ".atlasv1." + letters(67)),
    _simple("Pulumi", "pul-", rf"{ALNUM}{{40}}", hexes(40)),
    _simple("Octopus Deploy", "API-", r"[A-Z0-9]{24,28}(?![A-Za-z0-9])", "K7VX2MZ9TRB4WNP6YLC8HSJ3DG"),
    _simple("LaunchDarkly", "api- sdk- mob-", _UUID_OF_LETTERS, UUID),
    _simple("Harness", "pat. sat.", rf"{WORD}{{20,24}}\.{ALNUM}{{20,26}}\.{ALNUM}{{18,22}}", f"{letters(22)}.{letters(24)}.{letters(20)}"),
    _simple("Prefect", "pnu_ pnb_", rf"{ALNUM}{{30,}}+", letters(36)),
    _simple("OpenShift", "sha256~", rf"{WORD}{{40,}}+", letters(43)),
    # Secret stores
    _simple("Vault", "hvs. hvb. hvr.", rf"{WORD}{{20,}}+", letters(95)),
    _simple("Vault, older", "s.", r"(?=[A-Za-z]{0,23}[0-9])(?=[A-Z0-9]{0,23}[a-z])(?=[a-z0-9]{0,23}[A-Z])[A-Za-z0-9]{24}(?![A-Za-z0-9])", letters(24)),
    _simple("Infisical service", "ISS_", rf"{ALNUM}{{30,}}+", letters(40)),
    _simple("Snyk", "snyk_uat. snyk_sat.", r"[A-Za-z0-9]{8}\.[A-Za-z0-9._-]{60,}+", f"{hexes(8)}.{letters(90)}"),
    _simple("Doppler", "dp.pt. dp.st. dp.ct. dp.sa. dp.scim. dp.audit.", r"[A-Za-z0-9._-]{20,}+", letters(43)),
    _simple("1Password service account", "ops_eyJ", r"[A-Za-z0-9+/_-]{40,}+={0,3}", letters(260)),
    _simple("1Password secret key", "A3-", r"[A-Z0-9]{6}(?:-[A-Z0-9]{5,11}){3,5}(?![A-Za-z0-9])", "K7VX2M-Z9TRB4WNP6Y-LC8HS-J3DGF-5TAE1"),
    _simple("age", "AGE-SECRET-KEY- AGE-PLUGIN-", r"[A-Z0-9-]{20,}+", "1" + "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L" * 2, is_word=False),
    _simple("Extended private key", "xprv yprv zprv", rf"{ALNUM}{{90,}}+", letters(107)),
    _simple("Nostr", "nsec1", r"[a-z0-9]{50,}+", hexes(58)),
    _simple("PASETO", " ".join(f"v{version}.{use}." for version in "1234" for use in ("local", "public")), rf"{WORD}{{60,}}+(?:\.{WORD}{{2,}}+)?", letters(120)),
    _simple("Macaroon", "MDAxY MDAxZ MDAyY MDAyM", r"[A-Za-z0-9+/_-]{60,}+={0,2}", letters(120)),
    # Monitoring
    _simple("Grafana service account", "glsa_", rf"{ALNUM}{{20,}}+(?:_{HEX}{{8}})?", letters(32) + "_" + hexes(8)),
    _simple("Grafana Cloud", "glc_", r"[A-Za-z0-9+/]{20,}+={0,3}", letters(60)),
    _simple("Grafana API key", "eyJrIjoi", r"[A-Za-z0-9+/_-]{40,}+={0,3}", letters(90)),
    _simple("New Relic", "NRAK- NRII- NRJS- NRRA- NRIQ- NRBR-", r"[A-Za-z0-9_-]{16,}+", "K7VX2MZ9TRB4WNP6YLC8HSJ3DGF"),
    _inside("New Relic licence", "NRAL", r"[A-Fa-f0-9]{36}", 36, r"(?![A-Za-z0-9])", hexes(36) + "NRAL"),
    _simple("New Relic licence, Europe", "eu01xx", rf"{HEX}{{20,26}}F{{0,4}}NRAL", hexes(26) + "FFFFNRAL"),
    _inside("New Relic mobile", "-NRMA", rf"(?:AA|eu01xx){HEX}{{30,40}}", 46, r"(?![A-Za-z0-9])", "AA" + hexes(40) + "-NRMA"),
    _simple("Dynatrace", "dt0", r"[a-z]\d{2}\.[A-Z0-9]{8,24}\.[A-Z0-9]{40,}+", f"c01.{'K7VX2MZ9TRB4WNP6YLC8HSJ3'}.{'K7VX2MZ9TRB4WNP6' * 4}"),
    _simple("Sentry", "sntrys_ sntryu_", r"[A-Za-z0-9+/=_-]{30,}+", "eyJpYXQiO" + letters(80) + "_" + letters(43)),
    _simple("Honeycomb", "hcaik_ hcalk_ hcamk_ hcbik_ hcblk_ hcbmk_ hccik_ hclik_", r"[a-z0-9]{30,}+", hexes(58)),
    _simple("PagerDuty", "pdus+ pdeu+", rf"{WORD}{{16,}}+", letters(20)),
    _simple("PagerDuty API", "u+", r"(?=[A-Za-z_-]{0,17}[0-9])[A-Za-z0-9_-]{18}(?![A-Za-z0-9_-])", letters(18)),
    _simple("Datadog", "ddapp_ ddapi_ ddp_", rf"(?:{HEX}{{32}}|{ALNUM}{{34}})(?![A-Za-z0-9])", hexes(32)),
    _simple("Rootly", "rootly_", rf"{HEX}{{40,}}+", hexes(64)),
    _simple("StatusCake", "endr+", rf"{WORD}{{16,}}+", letters(16)),
    _simple("Trigger.dev", "tr_dev_ tr_prod_ tr_stg_ tr_pat_", rf"{ALNUM}{{20,}}+", letters(20)),
    _simple("Inngest", "signkey-", rf"[a-z]{{2,12}}-{HEX}{{32,}}+", "prod-" + hexes(64)),
    _simple("Statsig", "secret- console- client-", r"(?=[A-Za-z]{0,40}[0-9])[A-Za-z0-9]{40,60}(?![A-Za-z0-9-])", letters(43)),
    _simple("Elastic", "essu_", r"[A-Za-z0-9+/=_-]{20,}+", letters(60)),
    _simple("PostHog", "phx_ phs_ phc_ phr_", rf"{WORD}{{30,}}+", letters(43)),
    _simple("Settlemint", "sm_aat_ sm_pat_ sm_sat_", rf"{ALNUM}{{16,}}+", letters(16)),
    # Payments
    _simple("Stripe", "sk_ rk_ pk_", rf"(?:live|test|prod)_{ALNUM}{{10,}}+", "live_" + letters(24), is_word=False),
    _simple("Hexadecimal secret key", "sk_ pk_", rf"{HEX}{{30,}}+(?![A-Za-z0-9])", hexes(48)),
    _simple("Stripe client secret", "pi_ seti_ src_", r"[A-Za-z0-9]{14,30}_secret_[A-Za-z0-9]{14,40}", letters(24) + "_secret_" + letters(25)),
    _simple("Stripe checkout", "cs_live_ cs_test_ sk_org_live_ sk_org_test_ ak_live_ ak_test_ flb_live_ bb_live_", rf"{WORD}{{20,}}+", letters(58)),
    _simple("Secret key", "sk_", r"(?:[a-z]{2,10}_)?(?=[A-Za-z_-]{0,60}[0-9])(?:[a-z0-9]{26,}+|[A-Za-z0-9_-]{32,}+)(?:\.eu)?", letters(64)),
    _simple("Public or secret key", "pk_", r"\d{6,10}_[A-Z0-9]{32}|[A-Za-z0-9]{6}_[0-9a-f]{34}", "12345678_" + "K7VX2MZ9TRB4WNP6" * 2),
    _simple("Webhook signing key", "whsk_", r"[A-Za-z0-9+/=_-]{16,}+", letters(44)),
    _simple("Paddle", "pdl_", r"[a-z]{2,8}_(?:[a-z]{2,8}_)?[a-z0-9]{24,32}_[A-Za-z0-9_+/=]{20,}+", "live_apikey_" + hexes(26) + "_" + letters(22) + "_K7v"),
    _simple("Polar", "polar_", r"[a-z]{2,6}_[A-Za-z0-9_-]{24,}+", "oat_" + letters(43)),
    _simple("Ramp", "ramp_sec_ ramp_id_", rf"{ALNUM}{{40,}}+", letters(48)),
    _simple("Webhook signing secret", "whsec_", r"[A-Za-z0-9+/=_-]{16,}+", letters(32), is_word=False),
    _simple("Live or test key", "live_ test_", rf"(?:(?=[A-Za-z_-]{{0,30}}[0-9]){WORD}{{38,}}+|{ALNUM}{{30,}}+)", letters(30)),
    _simple("Square", "sq0", rf"[a-z]{{3}}-{WORD}{{20,}}+", "atp-" + letters(43)),
    _simple("Square access token", "EAAA", rf"{WORD}{{55,70}}(?![A-Za-z0-9_-])", letters(60)),
    _simple("Facebook", "EAA", rf"{ALNUM}{{80,}}+", "C" + letters(150)),
    _simple("Instagram", "IGQV IGAA", rf"{WORD}{{60,}}+", letters(140)),
    _simple("Shopify", "shpat_ shpca_ shppa_ shpss_ shpua_ prtapi_ shltm_", rf"{WORD}{{24,}}+", hexes(32)),
    _simple("Shippo", "shippo_", rf"(?:live|test)_{HEX}{{30,}}+", "live_" + hexes(40)),
    _simple("EasyPost", "EZAK EZTK", rf"{ALNUM}{{50,}}+(?!\+|/[A-Za-z0-9+/])", letters(54)),
    _simple("Duffel", "duffel_", r"(?:live|test)_[A-Za-z0-9_=-]{30,}+", "live_" + letters(43)),
    _simple("Flutterwave", "FLWSECK", r"(?:_TEST)?-[A-Za-z0-9]{12,}+(?:-X)?", "_TEST-" + hexes(32) + "-X"),
    _simple("Razorpay", "rzp_live_ rzp_test_", rf"{ALNUM}{{12,}}+", letters(14)),
    _simple("Braintree", "access_token$", r"(?:production|sandbox)\$[a-z0-9]{16}\$[a-f0-9]{32}", "production$" + hexes(16) + "$" + hexes(32)),
    _simple("Plaid", "access-sandbox- access-development- access-production- link-sandbox- link-development- link-production-", UUID_PATTERN, UUID),
    _simple("Adyen", "AQE", r"[A-Za-z0-9+/]{60,}+={0,2}-[A-Za-z0-9+/]{20,}+={0,2}-[A-Za-z0-9^%*+/=-]{10,}", letters(150) + "-" + letters(44) + "-" + letters(16)),
    _simple("Shopify CLI", "atkn_ atkn_v1_", rf"{WORD}{{30,}}+", letters(40)),
    # Mail
    _simple("SendGrid", "SG.", r"[A-Za-z0-9_-]{16,}+\.[A-Za-z0-9_.-]{16,}+", letters(22) + "." + letters(43)),
    _simple("Mailgun", "key- pubkey-", rf"{HEX}{{32}}(?![A-Za-z0-9])", hexes(32)),
    _inside("Mailchimp", "-us", r"[0-9a-f]{32}", 32, r"\d{1,2}(?![A-Za-z0-9-])", hexes(32) + "-us12"),
    _simple("Brevo", "xkeysib- xsmtpsib-", rf"{WORD}{{48,}}+", hexes(64) + "-" + letters(16)),
    _simple("Mandrill", "md-", rf"(?=[A-Za-z_-]{{0,20}}\d){WORD}{{22}}(?![A-Za-z0-9_-])", letters(22)),
    _simple("Resend", "re_", rf"{ALNUM}{{8}}_{ALNUM}{{20,}}+", letters(8) + "_" + letters(24)),
    _simple("MailerSend", "mlsn.", rf"{HEX}{{40,}}+", hexes(64)),
    _simple("Twilio", " ".join(f"SK{digit}" for digit in "0123456789abcdef"), rf"{HEX}{{31}}(?![A-Za-z0-9])", hexes(31)),
    _simple("Twilio account", " ".join(f"AC{digit}" for digit in "0123456789abcdef"), rf"{HEX}{{31}}(?![A-Za-z0-9])", hexes(31)),
    _simple("Telnyx", "KEY0", rf"[0-9A-F]{{30,}}+_{ALNUM}{{20,}}+", "1" + hexes(30).upper() + "_" + letters(22)),
    _simple("OneSignal", "os_v2_", r"(?:app|org)_[a-z0-9]{60,}+", "app_" + hexes(100)),
    # Language models
    _simple("OpenAI, Anthropic and others", "sk-", r"(?=[A-Za-z_-]{0,60}[0-9])(?:[A-Za-z0-9_-]{20,}+)", "proj-" + letters(74) + "T3BlbkFJ" + letters(74)),
    _simple("Hugging Face", "hf_ api_org_", rf"{ALNUM}{{30,37}}(?![A-Za-z0-9_])", letters(34)),
    _simple("Replicate", "r8_", rf"{WORD}{{30,}}+", letters(37)),
    _simple("Perplexity", "pplx-", rf"{ALNUM}{{30,}}+", letters(48)),
    _simple("Groq", "gsk_", rf"{ALNUM}{{30,}}+", letters(52)),
    _simple("xAI", "xai-", r"[A-Za-z0-9_]{30,}+", letters(80)),
    _simple("NVIDIA", "nvapi-", rf"{WORD}{{30,}}+", letters(64)),
    _simple("Pinecone", "pcsk_", r"[A-Za-z0-9_]{30,}+", letters(60)),
    _simple("LangSmith", "lsv2_", rf"(?:pt|sk)_{HEX}{{32}}_{HEX}{{10}}", "pt_" + hexes(32) + "_" + hexes(10)),
    _simple("Tavily", "tvly-", rf"{WORD}{{20,}}+", letters(32)),
    _simple("Fireworks", "fw_", rf"{ALNUM}{{22,26}}(?![A-Za-z0-9_])", letters(24)),
    _simple("Jina", "jina_", rf"{WORD}{{30,}}+", letters(60)),
    _simple("Together", "tgp_v1_", rf"{WORD}{{30,}}+", letters(43)),
    _simple("RunPod", "rpa_", rf"{ALNUM}{{30,}}+", letters(44)),
    _simple("LlamaCloud", "llx-", rf"{ALNUM}{{30,}}+", letters(48)),
    _simple("Cerebras", "csk-", r"[a-z0-9]{40,}+", hexes(48)),
    _simple("Firecrawl", "fc-", rf"{HEX}{{32}}(?![A-Za-z0-9-])", hexes(32)),
    _simple("Voyage", "pa-", r"(?=[A-Za-z_-]{0,30}[0-9])(?=[a-z0-9_-]{0,30}[A-Z])[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])", letters(43)),
    _simple("Weights & Biases", "wandb_v1_", rf"{WORD}{{40,}}+", letters(77)),
    _simple("Modal", "ak- as-", r"(?=[A-Za-z]{0,20}[0-9])(?=[a-z0-9]{0,20}[A-Z])[A-Za-z0-9]{22}(?![A-Za-z0-9-])", letters(22)),
    _simple("E2B", "e2b_", rf"{HEX}{{40}}", hexes(40)),
    _simple("LangSmith, older", "ls__", rf"{HEX}{{32}}", hexes(32)),
    _simple("Zuplo", "zpka_", rf"{HEX}{{32}}_{HEX}{{8}}", f"{hexes(32)}_{hexes(8)}"),
    _simple("Unkey", "unkey_", rf"{ALNUM}{{20,}}+", letters(22)),
    _simple("Warp", "wk-1.", rf"{HEX}{{40,}}+", hexes(64)),
    _simple("Devin", "apk_user_ apk_", r"[A-Za-z0-9+/_-]{50,}+={0,2}", letters(60)),
    _simple("Key with hexadecimal digits", "key_", rf"{HEX}{{48,}}+(?![A-Za-z0-9])", hexes(64)),
    _simple("Kubernetes token of a WebSocket", "base64url.bearer.authorization.k8s.io.", rf"{WORD}{{20,}}+", letters(60), is_word=False),
    # Software as a service
    _simple("Linear", "lin_api_ lin_oauth_ lin_wh_", rf"{ALNUM}{{20,}}+", letters(40)),
    _simple("Notion", "ntn_", rf"{ALNUM}{{30,}}+", "12345678901" + letters(35)),
    _simple("Notion, older", "secret_", rf"(?:[a-z]{{3,8}}_)?{ALNUM}{{26,}}+", letters(43)),
    _simple("Figma", "figd_ figo_ figu_ figor_ figur_ figp_", rf"{WORD}{{20,}}+", letters(40)),
    _simple("HubSpot", "pat-na pat-eu pat-ap", rf"\d-{_UUID_OF_LETTERS}", "1-" + UUID),
    _simple("Contentful", "CFPAT-", rf"{WORD}{{30,}}+", letters(43)),
    _simple("Dropbox", "sl.", rf"(?:u\.)?{WORD}{{100,}}+", "u." + letters(130)),
    _simple("Intercom", "dG9rO", rf"{BASE64}{{30,}}+={{0,2}}", letters(55) + "="),
    _simple("Typeform", "tfp_", r"[A-Za-z0-9_.=-]{30,}+", letters(59)),
    _simple("Postman", "PMAK- PMAT-", r"[A-Za-z0-9-]{24,}+", hexes(24) + "-" + hexes(34)),
    _simple("ReadMe", "rdme_", r"[a-z0-9]{40,}+", hexes(70)),
    _simple("Frame.io", "fio-u-", r"[A-Za-z0-9_=-]{40,}+", letters(64)),
    _simple("Infracost", "ico-", rf"{ALNUM}{{32}}(?![A-Za-z0-9]|\.[a-z])", letters(32)),
    _simple("Apify", "apify_api_", rf"{WORD}{{20,}}+", letters(36)),
    _simple("Defined Networking", "dnkey-", r"[A-Za-z0-9_=-]{20,}+", letters(26) + "-" + letters(52)),
    _simple("Nylas", "nyk_v0_", rf"{ALNUM}{{30,}}+", letters(60)),
    _simple("Onfido", "api_live. api_sandbox. api_live_us. api_live_ca. api_sandbox_us. api_sandbox_ca.", rf"{WORD}{{11}}\.{WORD}{{32}}(?![A-Za-z0-9_-])", letters(11) + "." + letters(32)),
    _simple("Dub", "dub_", rf"{MIXED_AHEAD}{ALNUM}{{24}}(?![A-Za-z0-9_])", letters(24)),
    _simple("Microsoft refresh token", "M.C5 M.R3", r"[0-9A-Z]{0,3}_[A-Z0-9]{2,6}\.[0-9.A-Z]{0,8}-[A-Za-z0-9!*$._-]{40,}+", "46_BAY.0.U.-" + letters(60)),
    _simple("Adafruit IO", "aio_", rf"{ALNUM}{{28}}(?![A-Za-z0-9])", letters(28)),
    _simple("Ubidots", "BBFF- BBUS-", rf"{ALNUM}{{20,}}+", letters(30)),
    _inside("MaxMind", "_mmk", r"[A-Za-z0-9]{6}_[A-Za-z0-9]{29}", 36, r"(?![A-Za-z0-9])", letters(6) + "_" + letters(29) + "_mmk"),
    _simple("Zoho", "1000.", rf"{HEX}{{32}}\.{HEX}{{32}}", hexes(32) + "." + hexes(32)),
    _simple("Salesforce", "00D", r"[A-Za-z0-9]{12,15}(?:!|%21)[A-Za-z0-9._]{60,}+", letters(12) + "!" + letters(96)),
    _simple("Pinterest", "pina_", rf"{ALNUM}{{40,}}+", letters(60)),
    _simple("Salesforce consumer", "3MVG9", r"[A-Za-z0-9._+/=]{60,}+", letters(80)),
    _simple("Salesforce refresh", "5Aep861 5AEP861 5aep861", r"[A-Za-z0-9._=-]{60,}+", letters(80)),
    _simple("Airtable", " ".join(f"pat{letter}" for letter in ascii_letters + digits if letter not in "ht"), rf"{ALNUM}{{13}}\.{HEX}{{64}}", letters(13) + "." + hexes(64)),
    _simple("Adobe", "p8e- p8-", r"[A-Za-z0-9_-]{32}(?![A-Za-z0-9_-])", hexes(32)),
    _simple("42 Intra", "s-s4t2ud- s-s4t2af- u-s4t2ud- u-s4t2af-", rf"{HEX}{{64}}", hexes(64)),
    _simple("ClickHouse Cloud", "4b1d", r"(?=[a-f0-9]{0,30}[A-Zg-z])[A-Za-z0-9]{38}(?![A-Za-z0-9])", letters(38)),
    _simple("Mapbox", "sk. pk. tk.", rf"eyJ1Ijoi{WORD}{{20,}}+\.{WORD}{{20,}}+", f"eyJ1Ijoi{letters(60)}.{letters(22)}"),
    _simple("Confluent", "cflt", rf"{BASE64}{{60}}(?![A-Za-z0-9+/])", letters(60)),
    _simple("Aiven", "AVNS_", rf"{WORD}{{16,}}+", letters(19)),
    _simple("MongoDB Atlas", "mdb_sa_sk_", rf"{WORD}{{30,}}+", letters(40)),
    _simple("CockroachDB", "CCDB1_", rf"{ALNUM}{{22}}_{ALNUM}{{40}}", letters(22) + "_" + letters(40)),
    _simple("Convex", "prod: dev: preview:", r"[a-z]{2,20}-[a-z]{2,20}-\d{1,5}\|[A-Za-z0-9+/=]{40,}", "happy-otter-123|" + letters(90) + "=="),
    _simple("Segment", "sgp_", rf"{ALNUM}{{64}}(?![A-Za-z0-9])", letters(64)),
    TokenFormat("Unleash", ("production.", "development.", "staging."), rf"{HEX}{{56,64}}(?![A-Za-z0-9])", f"*:production.{hexes(56)}", before=r"(?:\*|\[\]|[a-z][a-z0-9_-]{1,30}):", before_length=34),
    _simple("Retool", "retool_", r"(?=[a-z]{0,20}\d)[a-z0-9]{28,}+", "01" + hexes(30)),
    _simple("Nightfall", "NF-", rf"{ALNUM}{{32}}(?![A-Za-z0-9])", letters(32)),
    _simple("Voiceflow", "VF.", rf"(?:DM\.|WS\.)?{HEX}{{24}}\.{ALNUM}{{16}}", f"DM.{hexes(24)}.{letters(16)}"),
    _inside("RapidAPI", "msh", rf"{HEX}{{10}}", 10, rf"{HEX}{{15}}p1{HEX}{{6}}jsn{HEX}{{12}}", f"{hexes(10)}msh{hexes(15)}p1{hexes(6)}jsn{hexes(12)}"),
    _simple("Stytch", "secret-live- secret-test-", rf"{WORD}{{30,}}+", letters(36)),
    _simple("ConfigCat", "configcat-sdk-1/", r"[A-Za-z0-9_-]{22}/[A-Za-z0-9_-]{22}(?![A-Za-z0-9_-])", letters(22) + "/" + letters(22)),
    _simple("ngrok", "ak_ cr_", rf"{MIXED_AHEAD}{ALNUM}{{27}}(?![A-Za-z0-9])", letters(27)),
    _simple("Prismic", "MC5", r"[A-Za-z0-9_-]{8,40}\.[A-Za-z0-9_%-]{40,}+", letters(16) + "." + letters(60)),
    TokenFormat("Facebook app", tuple(f"{digit}{sign}" for digit in digits for sign in ("|", "%7C", "%257C")), rf"{MIXED_AHEAD}{WORD}{{27}}(?![A-Za-z0-9_-])", "1234567890123456|" + letters(27), before=r"(?<!\d)\d{12,16}", before_length=17),
    _simple("Bitcoin private key", "5H 5J 5K", rf"{MIXED_AHEAD}{_BASE58}{{49}}(?![A-Za-z0-9])", "K" + "Cxb7vXRmZ9tRb4WnP6yLc8HsJ3dGf5TaE1xUoDzVgNiMhSwQ"),
    _simple("Bitcoin private key, compressed", "Kw Kx Ky Kz L1 L2 L3 L4 L5", rf"{MIXED_AHEAD}{_BASE58}{{50}}(?![A-Za-z0-9])", "Cxb7vXRmZ9tRb4WnP6yLc8HsJ3dGf5TaE1xUoDzVgNiMhSwQeY"),
    _simple("Asana", " ".join(f"{first}/{digit}" for first in "012" for digit in "123456789"), r"\d{12,17}(?:/\d{12,17})?:[a-f0-9]{32}(?![A-Za-z0-9])", "234567890123456:" + hexes(32)),
    _simple("Airtable, older", " ".join(f"key{letter}" for letter in ascii_letters + digits), rf"{_MIXED_13}{ALNUM}{{13}}(?![A-Za-z0-9_-])", letters(13)),
    _simple("Plivo", "MA", r"(?=[A-Z]{0,17}\d)(?=\d{0,17}[A-Z])[A-Z0-9]{18}(?![A-Za-z0-9])", "K7VX2MZ9TRB4WNP6YL"),
    _simple("Sanity", " ".join(f"sk{letter}" for letter in ascii_letters + digits), rf"{MIXED_AHEAD}{ALNUM}{{79,}}+", letters(100)),
    _simple("Infisical service, older", "st.", rf"(?:{UUID_PATTERN}|{HEX}{{24}})\.{HEX}{{32}}\.{HEX}{{32}}", f"{UUID}.{hexes(32)}.{hexes(32)}"),
    _simple("Datadog browser", " ".join(f"pub{digit}" for digit in "0123456789abcdef"), rf"{HEX}{{31}}(?![A-Za-z0-9])", hexes(31)),
    _simple("Lichess", "lip_ lio_", rf"{ALNUM}{{20,}}+", letters(20)),
    _simple("Roblox", "_|WARNING:-DO-NOT-SHARE-THIS.", r"[^|\n\"\\]{0,200}\|_[A-F0-9]{100,}+", "--Sharing-this|_" + hexes(200).upper(), is_word=False),
    _simple("Twitter", "AAAAAAAAAAAAAAAAAAAAA", r"A?(?:[B-Za-z0-9]|%[0-9A-F]{2})(?:[A-Za-z0-9]|%[0-9A-F]{2}){60,}+", "A" + letters(80)),
    _simple("Authress", "authress_ scauth_ sc_ ext_", r"[A-Za-z0-9]{5,30}\.[A-Za-z0-9]{4,6}\.acc[_-][a-z0-9-]{10,32}\.[A-Za-z0-9+/_=-]{30,}+", "abcdefgh.k7vx2.acc-" + hexes(20) + "." + letters(60)),
    _simple("Azure refresh", "0.A 1.A", r"[\w-]{50,}+(?:\.\d)?\.A[\w.-]{200,}+", letters(60) + ".Ag" + letters(300)),
    _simple("Bannerbear", "bb_pr_ bb_ma_", rf"{HEX}{{30}}", hexes(30)),
    _simple("Close", "api_", r"(?=[A-Za-z.]{0,40}\d)[A-Za-z0-9.]{45}(?![A-Za-z0-9_])", letters(22) + "." + letters(22)),
    _simple("PubNub", "pub-c- sub-c- sec-c-", rf"{_UUID_OF_LETTERS}|[A-Za-z0-9]{{48,}}+", UUID),
    _simple("FullStory", "na1. eu1.", rf"{BASE64}{{80,}}+={{0,2}}", letters(100)),
    _simple("Gemini", "master- account-", rf"{_MIXED_13}{ALNUM}{{20}}(?![A-Za-z0-9-])", letters(20)),
    _simple("Mapbox, older", "sk.", r"[A-Za-z0-9.-]{80,240}(?![A-Za-z0-9])", letters(90)),
    _simple("dfuse", "web_ server_", r"(?=[a-z]{0,31}\d)[0-9a-z]{32}(?![A-Za-z0-9_])", hexes(32)),
    _simple("Finage", "API_KEY", r"(?=[A-Z]{0,31}\d)[0-9A-Z]{32}(?![A-Za-z0-9_])", "K7VX2MZ9TRB4WNP6YLC8HSJ3DG5TAE1U"),
    _simple("LocationIQ", "pk.", rf"{HEX}{{32}}(?![A-Za-z0-9])", hexes(32)),
    _simple("SaladCloud", "salad_cloud_", r"[0-9A-Za-z]{1,7}_[0-9A-Za-z]{7,235}", "ada_" + letters(40)),
    _simple("TruffleHog", "thog-key- thog-secret-", rf"{HEX}{{16,32}}", hexes(32)),
    _inside("Tableau", "==:", r"[A-Za-z0-9+/]{22}", 22, r"[A-Za-z0-9]{32}(?![A-Za-z0-9])", letters(22) + "==:" + letters(32)),
    # Keys without a header, and password hashes as in /etc/shadow
    _simple("Private key", "MII", rf"(?:{_DER_LONG_KEY}){_KEY_BODY}", "EpAIBAAKCA" + letters(200)),
    _simple("Private key of an elliptic curve", "MIG MIH", rf"(?:{_DER_SHORT_KEY}){_KEY_BODY}", "HAgEAMBMGByqGSM49" + letters(120)),
    _simple("EC private key", "MHcCAQEEI MC4CAQAwBQYDK2VwBCIEI", rf"{BASE64}{{30,}}+={{0,2}}", letters(120)),
    _simple("OpenSSH private key", "b3BlbnNzaC1rZXktdjE", r"(?:[A-Za-z0-9+/]|\\{1,4}[nr](?=[A-Za-z0-9+/]{16}|[A-Za-z0-9+/]{1,15}=)){20,}+={0,2}", letters(80)),
    TokenFormat("JSON Web Key", tuple(f'"{name}":{blank}"' for name in ("d", "p", "q", "dp", "dq", "qi", "k") for blank in ("", " ")), r"(?=[^\"]{0,40}[A-Z])([A-Za-z0-9_-]{40,}+)(?=\")", letters(43) + '"', is_word=False),
    TokenFormat("JSON Web Key in a JSON string", tuple(f'"{name}{escape}":{blank}{escape}"' for name in ("d", "p", "q", "dp", "dq", "qi", "k") for blank in ("", " ") for escape in ("\\", "\\\\\\")), r"(?=[^\"\\]{0,40}[A-Z])([A-Za-z0-9_-]{40,}+)(?=\\)", letters(43) + "\\", is_word=False),
    _simple("Password hash", "$2a$ $2b$ $2y$ $argon2 $5$ $6$ $y$ $7$ $gy$ $scrypt$ $pbkdf2 $apr1$ $krb5", r"[A-Za-z0-9./$=,+*-]{26,}+", "12$" + letters(53), is_word=False),
    _simple("Password hash in a query string", "%242a%24 %242b%24 %242y%24 %24argon2 %245%24 %246%24 %24y%24 %241%24 %24apr1%24", r"(?:[A-Za-z0-9.=,+*-]|%[0-9A-Fa-f]{2}|/){26,}+", "12%24" + letters(53), is_word=False),
    _simple("MD5 password hash", "$1$", r"[A-Za-z0-9./]{1,8}\$[A-Za-z0-9./]{22}", letters(8) + "$" + letters(22), is_word=False),
    _simple("PHP password hash", "$P$ $H$", r"[A-Za-z0-9./]{31}", letters(31), is_word=False),
    _simple("Password hash of Drupal", "$S$", r"[A-Za-z0-9./]{50,52}", letters(52), is_word=False),
    _simple("Ticket of CAS", "TGT- PGT-", rf"\d{{1,10}}-{WORD}{{20,}}+", "1-" + letters(50)),
    _simple("Password hash of a framework", "pbkdf2_sha pbkdf2:sha scrypt: scrypt$ bcrypt$ bcrypt_sha", r"[a-z0-9:$]{0,20}\$[A-Za-z0-9./$=,+*-]{30,}+", "256$600000$" + letters(22) + "$" + letters(43) + "="),
    _simple("Password hash of a directory", "{SSHA {SHA {SMD5} {PBKDF2 {ARGON2} {CRYPT} {crypt}", r"[0-9-]{0,4}\}?[A-Za-z0-9./$=,+*-]{20,}+", "}" + letters(32), is_word=False),
    _simple("PostgreSQL password hash", "SCRAM-SHA-256$", r"\d{4,8}:[A-Za-z0-9+/=]{16,}+\$[A-Za-z0-9+/=]{20,}+:[A-Za-z0-9+/=]{20,}+", "4096:" + letters(24) + "$" + letters(44) + ":" + letters(44)),
    _simple("MySQL password hash", " ".join(f"*{digit}" for digit in "0123456789ABCDEF"), r"[A-F0-9]{39}(?![A-Za-z0-9])", hexes(39).upper(), is_word=False),
    _simple("NetNTLM hash", "::", rf"[A-Za-z0-9_.-]{{0,32}}:(?:{HEX}{{16}}:{HEX}{{32}}:{HEX}{{20,}}+|{HEX}{{48}}:{HEX}{{48}}:{HEX}{{16}})", f"KITCHEN:{hexes(16)}:{hexes(32)}:{hexes(60)}", is_word=False),
    _simple("NT hash", "aad3b435b51404eeaad3b435b51404ee:", rf"{HEX}{{32}}", hexes(32)),
)  # fmt: skip

# Azure puts a few fixed letters into the middle of a key. A run of Base64 of the right length that
# contains them is a key.
MARKED_RUNS: Final = (
    *("AZDO", "JQQJ99", "ACDb", "AzFu", "AzSe", "AzCa", "AIoT", "AZEG", "AzMa", "APIM"),
    *("+ASt", "+ASb", "+AEh", "+ARm", "+ABa", "+ACR", "+AMC", "+AzR"),
)
MARKED_RUN_SAMPLE: Final = letters(76) + "AZDO" + letters(4)
