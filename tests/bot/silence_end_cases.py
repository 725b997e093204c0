"""What people type as the end of a silence, with the instant that they mean: the zone and the time
now, then lines of `words = end`, or `words ?` for what is asked back because it has two readings,
or is not read as an end. What stands in `[…]` behind the end is the comment.
"""

from __future__ import annotations

# A Saturday evening would be too easy: Wednesday 25 November 2026, 14:00.
BERLIN_WEDNESDAY = """
until 15:00 = 2026-11-25 15:00
until 13:00 = 2026-11-26 13:00
until 17:00h = 2026-11-25 17:00
until 17h ?
until 2h ?
until 2h30 ?
until 3 days ?
until in 2 hours ?
until 30m ?
until friday 17h30 = 2026-11-27 17:30
until 17:00 hours = 2026-11-25 17:00
until 5pm local time = 2026-11-25 17:00
until 5pm my time ?
until tomorrow same time ?
until friday five ?
until monday PST ?
until monday Berlin time ?
until friday noonish ?
until monday business hours ?
until 5pm please = 2026-11-25 17:00
until sunday 23:59 = 2026-11-29 23:59
until Nov 30, 2026 = 2026-11-30 09:00
until 17:00 berlin = 2026-11-25 17:00
until tues 1 dec = 2026-12-01 09:00
until the third of december = 2026-12-03 09:00
until 4:30 = 2026-11-26 04:30
until 4.30 pm = 2026-11-25 16:30
until monday at 9:00 sharp = 2026-11-30 09:00
until 12am = 2026-11-26 00:00
until 12pm = 2026-11-26 12:00
until 12 ?
until 16h 30 ?
until 8-9 ?
until 08:00 07:00 ?
until half past 5 ?
until friday week ?
until 17 Uhr = 2026-11-25 17:00
until 17:30 Uhr = 2026-11-25 17:30
until 5pm = 2026-11-25 17:00
until 5 pm = 2026-11-25 17:00
until 5 p.m. = 2026-11-25 17:00
until 5p.m. = 2026-11-25 17:00
until 5 PM = 2026-11-25 17:00
until 5:30pm = 2026-11-25 17:30
until 5.30pm = 2026-11-25 17:30
until 5.30 p.m. = 2026-11-25 17:30
until 9am = 2026-11-26 09:00
until 9 a.m. = 2026-11-26 09:00
until 18 = 2026-11-25 18:00
until 18.30 = 2026-11-25 18:30
until 1700 = 2026-11-25 17:00
until 0800 = 2026-11-26 08:00
until 24:00 = 2026-11-26 00:00
until 00:00 = 2026-11-26 00:00
until midnight = 2026-11-26 00:00
until noon = 2026-11-26 12:00
until midday = 2026-11-26 12:00
until 16:00 UTC = 2026-11-25 17:00
until 16:00UTC = 2026-11-25 17:00
until 16:00 utc = 2026-11-25 17:00
until 16:00Z = 2026-11-25 17:00
until 16:00+01:00 = 2026-11-25 16:00
until 16:00+05:30 = 2026-11-26 11:30
until 16:00 +01:00 = 2026-11-25 16:00
until 16:00 (UTC) = 2026-11-25 17:00
until 16:00 CET = 2026-11-25 16:00
until 16:00 EST = 2026-11-25 22:00
until 4pm Berlin time = 2026-11-25 16:00
until 4pm New York time = 2026-11-25 22:00
until 4pm America/New_York = 2026-11-25 22:00
until 16:00 UTC+2 = 2026-11-25 15:00
until 5 pm UTC = 2026-11-25 18:00
until 16:00 UTC tomorrow = 2026-11-26 17:00
until tomorrow 16:00 UTC = 2026-11-26 17:00
until friday 16:00 UTC = 2026-11-27 17:00
till 17:00 = 2026-11-25 17:00
til 17:00 = 2026-11-25 17:00
'til 17:00 = 2026-11-25 17:00
until at 17:00 = 2026-11-25 17:00
Until 17:00 = 2026-11-25 17:00
UNTIL 5PM = 2026-11-25 17:00
until today 17:00 = 2026-11-25 17:00
until 17:00 today = 2026-11-25 17:00
until today at 5pm = 2026-11-25 17:00
until 5 today = 2026-11-25 17:00
until today 5 = 2026-11-25 17:00
until midnight tonight = 2026-11-26 00:00
until tonight midnight = 2026-11-26 00:00
until today midnight = 2026-11-26 00:00
until 8 tonight = 2026-11-25 20:00
until tonight 8 = 2026-11-25 20:00
until tonight at 8pm = 2026-11-25 20:00
until 10pm tonight = 2026-11-25 22:00
until 8 this evening = 2026-11-25 20:00
until this evening at 8 = 2026-11-25 20:00
until this evening 19:30 = 2026-11-25 19:30
until 4 this afternoon = 2026-11-25 16:00
until tomorrow = 2026-11-26 09:00
until tmrw = 2026-11-26 09:00
until tomorrow morning = 2026-11-26 09:00
until tomorrow morning 8 = 2026-11-26 08:00
until tomorrow morning at 8 = 2026-11-26 08:00
until 8 tomorrow morning = 2026-11-26 08:00
until 8am tomorrow = 2026-11-26 08:00
until tomorrow 8am = 2026-11-26 08:00
until tomorrow at 8:15 = 2026-11-26 08:15
until tomorrow, 8:15 = 2026-11-26 08:15
until tomorrow 14h = 2026-11-26 14:00
until tomorrow 17:00h = 2026-11-26 17:00
until tomorrow noon = 2026-11-26 12:00
until noon tomorrow = 2026-11-26 12:00
until tomorrow at noon = 2026-11-26 12:00
until tomorrow 24:00 = 2026-11-27 00:00
until tomorrow afternoon 3 = 2026-11-26 15:00
until tomorrow evening at 8 = 2026-11-26 20:00
until tomorrow evening 20:00 = 2026-11-26 20:00
until 5 p.m. tomorrow = 2026-11-26 17:00
until first thing tomorrow = 2026-11-26 09:00
until the day after tomorrow = 2026-11-27 09:00
until day after tomorrow 10:00 = 2026-11-27 10:00
until morning = 2026-11-26 09:00
until the morning = 2026-11-26 09:00
until next morning = 2026-11-26 09:00
until 9 in the morning = 2026-11-26 09:00
until friday = 2026-11-27 09:00
until fri = 2026-11-27 09:00
until on friday = 2026-11-27 09:00
until this friday = 2026-11-27 09:00
until friday 5 p.m. = 2026-11-27 17:00
until friday 5pm = 2026-11-27 17:00
until friday at 5pm = 2026-11-27 17:00
until friday, 5pm = 2026-11-27 17:00
until friday 17:00 = 2026-11-27 17:00
until friday 17:00h = 2026-11-27 17:00
until friday 17h = 2026-11-27 17:00
until friday 17 = 2026-11-27 17:00
until friday 17.30 = 2026-11-27 17:30
until friday 1700 = 2026-11-27 17:00
until friday noon = 2026-11-27 12:00
until friday 24:00 = 2026-11-28 00:00
until friday morning = 2026-11-27 09:00
until friday morning 8:30 = 2026-11-27 08:30
until friday afternoon 4 = 2026-11-27 16:00
until friday evening 8 = 2026-11-27 20:00
until 5 p.m. on friday = 2026-11-27 17:00
until 17:00 on friday = 2026-11-27 17:00
until 17:00 friday = 2026-11-27 17:00
until monday 14h = 2026-11-30 14:00
until monday = 2026-11-30 09:00
til monday = 2026-11-30 09:00
till monday = 2026-11-30 09:00
until mon = 2026-11-30 09:00
until next monday = 2026-11-30 09:00
until monday next week = 2026-11-30 09:00
until next week monday = 2026-11-30 09:00
until friday next week = 2026-12-04 09:00
until next week = 2026-11-30 09:00
until the start of next week = 2026-11-30 09:00
until monday morning = 2026-11-30 09:00
until early monday ?
until weds = 2026-12-02 09:00
until wed 15:00 = 2026-11-25 15:00
until wednesday 10:00 = 2026-12-02 10:00
until next wednesday = 2026-12-02 09:00
until thurs = 2026-11-26 09:00
until thur 8:00 = 2026-11-26 08:00
until tues = 2026-12-01 09:00
until the end of the weekend = 2026-11-30 09:00
until end of weekend = 2026-11-30 09:00
until after the weekend = 2026-11-30 09:00
until the weekend is over = 2026-11-30 09:00
over the weekend = 2026-11-30 09:00
for the weekend = 2026-11-30 09:00
over weekend = 2026-11-30 09:00
tonight = 2026-11-26 09:00
for tonight = 2026-11-26 09:00
overnight = 2026-11-26 09:00
until 1 december = 2026-12-01 09:00
until 1st december = 2026-12-01 09:00
until december 1 = 2026-12-01 09:00
until dec 1 = 2026-12-01 09:00
until Dec 1st = 2026-12-01 09:00
until the 1st of december = 2026-12-01 09:00
until the 1st = 2026-12-01 09:00
until the 15th = 2026-12-15 09:00
until 30 november = 2026-11-30 09:00
until monday 30 november = 2026-11-30 09:00
until monday, 30 nov = 2026-11-30 09:00
until monday 30 november 14:00 = 2026-11-30 14:00
until 30 november at 2pm = 2026-11-30 14:00
until 14:00 on 30 november = 2026-11-30 14:00
until 30.11. = 2026-11-30 09:00
until 30.11. 14:00 = 2026-11-30 14:00
until 24.12. = 2026-12-24 09:00
until 24.12 = 2026-12-24 09:00
until 24.12.2026 = 2026-12-24 09:00
until 24/12 = 2026-12-24 09:00
until 24/12/2026 = 2026-12-24 09:00
until 2026-12-24 = 2026-12-24 09:00
until 2026/12/24 = 2026-12-24 09:00
until 2026-12-24 10:00 = 2026-12-24 10:00
until 2026-12-24T10:00 = 2026-12-24 10:00
until 2026-12-24T10:00Z = 2026-12-24 11:00
until 2026-12-24T10:00+05:30 = 2026-12-24 05:30
until 2026-12-24T10:00-05:00 = 2026-12-24 16:00
until 24 dec 2026 = 2026-12-24 09:00
until 24-dec-2026 = 2026-12-24 09:00
until 3 january = 2027-01-03 09:00
until jan 3 8am = 2027-01-03 08:00
until end of month = 2026-12-01 00:00
until the end of the month = 2026-12-01 00:00
until end of the year = 2027-01-01 00:00
until end of friday = 2026-11-28 00:00
until end of tomorrow = 2026-11-27 00:00
until 2 hours from now = 2026-11-25 16:00
2h = 2026-11-25 16:00
for 2h = 2026-11-25 16:00
for 2 hours = 2026-11-25 16:00
2h30 = 2026-11-25 16:30
for 2h30 = 2026-11-25 16:30
2h30m = 2026-11-25 16:30
2h 30m = 2026-11-25 16:30
2 h 30 min = 2026-11-25 16:30
2.5h = 2026-11-25 16:30
2 1/2 hours ?
two hours = 2026-11-25 16:00
for two hours = 2026-11-25 16:00
for the next 2 hours = 2026-11-25 16:00
next 2 hours = 2026-11-25 16:00
2 hours and 30 minutes = 2026-11-25 16:30
half an hour = 2026-11-25 14:30
an hour = 2026-11-25 15:00
for an hour = 2026-11-25 15:00
an hour and a half = 2026-11-25 15:30
a couple of hours = 2026-11-25 16:00
90 min = 2026-11-25 15:30
45m = 2026-11-25 14:45
1 day = 2026-11-26 14:00
3 days = 2026-11-28 14:00
1 week = 2026-12-02 14:00
a week = 2026-12-02 14:00
for a week = 2026-12-02 14:00
2w = 2026-12-09 14:00
a fortnight = 2026-12-09 14:00
1 month = 2026-12-25 14:00
3 months = 2027-02-25 14:00
2h from now = 2026-11-25 16:00
until 17:00 load test = 2026-11-25 17:00 [load test]
until 17:00 "load test" = 2026-11-25 17:00 [load test]
until 17:00 "friday release" = 2026-11-25 17:00 [friday release]
until 17:00, load test = 2026-11-25 17:00 [load test]
until 17:00 - load test = 2026-11-25 17:00 [load test]
until 17:00 because of the friday release = 2026-11-25 17:00 [because of the friday release]
until 17:00 for the load test = 2026-11-25 17:00 [for the load test]
until monday for maintenance = 2026-11-30 09:00 [for maintenance]
until monday because it is noisy = 2026-11-30 09:00 [because it is noisy]
until friday 17:00 deploy of edge = 2026-11-27 17:00 [deploy of edge]
until friday 5 p.m. deploy = 2026-11-27 17:00 [deploy]
until tomorrow migration runs = 2026-11-26 09:00 [migration runs]
until tomorrow (ticket 4711) = 2026-11-26 09:00 [ticket 4711]
until friday, see ticket 12 at 17:00 = 2026-11-27 09:00 [see ticket 12 at 17:00]
until monday ticket OPS-4711 = 2026-11-30 09:00 [ticket OPS-4711]
2h load test = 2026-11-25 16:00 [load test]
2h for load test = 2026-11-25 16:00 [for load test]
2h, load test on friday = 2026-11-25 16:00 [load test on friday]
2h30 load test = 2026-11-25 16:30 [load test]
1 week vacation of the team = 2026-12-02 14:00 [vacation of the team]
over the weekend: migration = 2026-11-30 09:00 [migration]
until eod ?
until end of day ?
until friday eod ?
until eod friday ?
until cob ?
until close of business ?
until lunch ?
until tonight ?
until this evening ?
until tomorrow evening ?
until friday afternoon ?
until friday night ?
until the weekend ?
until weekend ?
until this weekend ?
until end of the week ?
until eow ?
until friday midnight ?
until midnight friday ?
until tomorrow 5 ?
until tomorrow at 5 ?
until friday 9 ?
until 9 friday ?
until 1.12 ?
until 17.12 ?
until 11/12 ?
until 1/12/2026 ?
until 16:00 IST ?
until friday 30 november ?
until 16:00 london release ?
until monday tuesday ?
until monday or tuesday ?
until monday 2 hosts ?
until monday at least ?
until friday release at 17:00 ?
until friday the 13th ?
until 9 days ?
until friday for 2h ?
until friday, 5ish ?
until friday - 17h ?
until later ?
until further notice ?
until fixed ?
until ?
until 25:00 ?
until 12:75 ?
until 13pm ?
until 2026-02-30 ?
until 30 february ?
until 31.11. ?
until yesterday ?
until now ?
until 2026-11-01 ?
until 1 november ?
until today 09:00 ?
until 17:00-18:00 ?
until 2 dec 10:30 = 2026-12-02 10:30
until 2 dec 10:30 maintenance = 2026-12-02 10:30 [maintenance]
until dec 2 10:30 = 2026-12-02 10:30
until 14 dec 10 ?
until 14 dec 15 = 2026-12-14 15:00
until 10 dec = 2026-12-10 09:00
until wednesday the 2nd = 2026-12-02 09:00
until wed 2nd december = 2026-12-02 09:00
until 30th 5pm = 2026-11-30 17:00
until the 31st at 17:00 = 2026-12-31 17:00
until 11/30 5pm = 2026-11-30 17:00
until 30-11-2026 = 2026-11-30 09:00
until 20261130T1700 = 2026-11-30 17:00
until 9.5 ?
until 17.5 ?
until 17.05 ?
until tomorrow's standup ?
until 5pm pacific deploy ?
until 5pm pacific = 2026-11-26 02:00
until 3 PM EST tomorrow = 2026-11-26 21:00
until friday@17:00 = 2026-11-27 17:00
until around friday noon = 2026-11-27 12:00
until noon friday = 2026-11-27 12:00
until next week 10am = 2026-11-30 10:00
until wednesday next week 10am = 2026-12-02 10:00
until this wednesday 10am = 2026-12-02 10:00
until 11 tonight = 2026-11-25 23:00
until tomorrow night 10pm = 2026-11-26 22:00
until tonight 1am ?
until fri 5p = 2026-11-27 17:00
until mon-fri ?
until 30.11.26 ?
until after 5pm ?
until tomorrow and friday ?
until tomorrow (friday) ?
2h or until fixed ?
2h (until 16:00) ?
2h on monday ?
1-2h ?
30 min. = 2026-11-25 14:30
1d2h = 2026-11-26 16:00
half a day = 2026-11-26 02:00
quarter of an hour = 2026-11-25 14:15
all day ?
a few hours ?
until monday paris migration = 2026-11-30 09:00 [paris migration]
until 2030 ?
forever ?
indefinitely ?
for good ?
2h tomorrow ?
2h until monday ?
2h from tomorrow ?
2h at 17:00 ?
2h starting at 14:00 ?
2h 30 hosts ?
2h pls = 2026-11-25 16:00
2h, thank you = 2026-11-25 16:00
2h more ?
2h longer ?
2h later ?
2h minus 10m ?
2h +10m ?
2h ± 10m ?
2h twice ?
2h daily ?
2h nightly ?
2h per day ?
2h each night ?
2h, every day ?
2h (daily) ?
2h mondays ?
2h on weekdays ?
2h weekends ?
2h @14:00 ?
2h >14:00 ?
2h, from 14:00 ?
2h (starting at 14:00) ?
2h - from monday ?
2h, or 3h ?
2h, then 1h ?
2h, not now ?
2h, this evening ?
2h, next week ?
2h as of 14:00 ?
2h as from monday ?
2h so from 14:00 ?
2h due at 14:00 ?
2h during the night ?
2h during lunch ?
2h during the load test = 2026-11-25 16:00 [during the load test]
2h due to load test at 14:00 = 2026-11-25 16:00 [due to load test at 14:00]
2h while we migrate = 2026-11-25 16:00 [while we migrate]
2h for tomorrow ?
2h for monday ?
2h for each day ?
2h for the next 3 nights ?
2h for 3 hosts = 2026-11-25 16:00 [for 3 hosts]
2h, on the new release = 2026-11-25 16:00 [on the new release]
2h, at least = 2026-11-25 16:00 [at least]
until monday - at 17h ?
until monday, noonish ?
until monday, at the latest 17:00 ?
until monday, or tuesday ?
until monday inclusive ?
until monday (inclusive) ?
until monday standup ?
until monday meeting ?
until monday deploy ends ?
until monday migration is done ?
until monday is over ?
until 17:00 daily ?
until 17:00 mondays ?
0h ?
5 years ?
6M ?
"""
# Saturday 28 November 2026, 02:38.
NEW_YORK_NIGHT = """
until tomorrow = 2026-11-28 09:00
until tomorrow morning = 2026-11-28 09:00
until tomorrow 3am = 2026-11-29 03:00
until tomorrow 5 ?
until 9 = 2026-11-28 09:00
until 9am = 2026-11-28 09:00
until 5 = 2026-11-28 05:00
until noon = 2026-11-28 12:00
until midnight = 2026-11-29 00:00
until saturday = 2026-11-28 09:00
until next saturday = 2026-12-05 09:00
until sunday = 2026-11-29 09:00
until monday = 2026-11-30 09:00
until next monday = 2026-11-30 09:00
until monday next week = 2026-11-30 09:00
until this morning 9 = 2026-11-28 09:00
until this morning = 2026-11-28 09:00
until 16:00 UTC = 2026-11-28 11:00
until 5pm ET = 2026-11-28 17:00
until 5pm eastern = 2026-11-28 17:00
until 5pm PST = 2026-11-28 20:00
until tomorrow 8am UTC = 2026-11-29 03:00
until 12/24 = 2026-12-24 09:00
until dec 24 5:00 PM = 2026-12-24 17:00

over the weekend = 2026-11-30 09:00
overnight = 2026-11-28 09:00
until the weekend ?
for 2 days = 2026-11-30 02:38
"""
# Monday 30 November 2026, 09:00.
KOLKATA_MONDAY = """
until monday 18:00 = 2026-11-30 18:00
until monday = 2026-12-07 09:00
until friday = 2026-12-04 09:00
until next friday = 2026-12-04 09:00
until friday next week = 2026-12-11 09:00
until 16:00 UTC = 2026-11-30 21:30
until 16:00 GMT = 2026-11-30 21:30
until 3 UTC ?
until 16:00+05:30 = 2026-11-30 16:00
until end of month = 2026-12-01 00:00
until the 30th = 2026-12-30 09:00
until tomorrow 02:00 UTC = 2026-12-01 07:30
until 31 dec = 2026-12-31 09:00
until 9 ?
until 18:30 IST ?
until 18:30 Asia/Kolkata = 2026-11-30 18:30
until 18:30 Kolkata time = 2026-11-30 18:30
1d = 2026-12-01 09:00
"""
# Saturday 28 March 2026, 20:00: the clocks go from 02:00 to 03:00 in the night.
BERLIN_FORWARD = """
until 02:30 ?
until tomorrow 02:30 ?
until sunday 2:30 ?
until 03:00 = 2026-03-29 03:00
until 01:59 = 2026-03-29 01:59
until tomorrow = 2026-03-29 09:00
until midnight = 2026-03-29 00:00
until monday 02:30 = 2026-03-30 02:30
until 2026-03-29 02:30 ?
until 00:30 UTC = 2026-03-29 01:30
until 1:30 UTC = 2026-03-29 03:30
8h = 2026-03-29 05:00
1 month = 2026-04-28 20:00
"""
# Saturday 24 October 2026, 20:00: the clocks go from 03:00 to 02:00 in the night.
BERLIN_BACK = """
until 02:30 = 2026-10-25T02:30+02:00
until tomorrow 02:30 = 2026-10-25T02:30+02:00
until 2026-10-25T02:30+01:00 = 2026-10-25T02:30+01:00
until 2:30 CET = 2026-10-25T02:30+01:00
until 03:00 = 2026-10-25 03:00
until tomorrow = 2026-10-25 09:00
8h = 2026-10-25T03:00+01:00
until monday = 2026-10-26 09:00
"""
TABLES = (
    ("Europe/Berlin", "2026-11-25T14:00", BERLIN_WEDNESDAY),
    ("America/New_York", "2026-11-28T02:38", NEW_YORK_NIGHT),
    ("Asia/Kolkata", "2026-11-30T09:00", KOLKATA_MONDAY),
    ("Europe/Berlin", "2026-03-28T20:00", BERLIN_FORWARD),
    ("Europe/Berlin", "2026-10-24T20:00", BERLIN_BACK),
)
