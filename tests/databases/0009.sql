-- What a version with migrations up to 0009 left behind, in the sandbox: questions, a subscription, two
-- alerts of which one fires, a silence, and a message that was not sent. For the tests of upgrades.
BEGIN TRANSACTION;
CREATE TABLE "_sqlite_migrations" (
   "id" INTEGER PRIMARY KEY,
   "migration_set" TEXT,
   "name" TEXT,
   "applied_at" TEXT
);
INSERT INTO "_sqlite_migrations" VALUES(1,'opswatch','0001_questions','2026-11-27 10:43:20.583257+00:00');
INSERT INTO "_sqlite_migrations" VALUES(2,'opswatch','0002_answers','2026-11-27 10:43:20.583450+00:00');
INSERT INTO "_sqlite_migrations" VALUES(3,'opswatch','0003_budgets','2026-11-27 10:43:20.583893+00:00');
INSERT INTO "_sqlite_migrations" VALUES(4,'opswatch','0004_posts','2026-11-27 10:43:20.584283+00:00');
INSERT INTO "_sqlite_migrations" VALUES(5,'opswatch','0005_subscriptions','2026-11-27 10:43:20.584430+00:00');
INSERT INTO "_sqlite_migrations" VALUES(6,'opswatch','0006_alerts','2026-11-27 10:43:20.584643+00:00');
INSERT INTO "_sqlite_migrations" VALUES(7,'opswatch','0007_incidents','2026-11-27 10:43:20.585618+00:00');
INSERT INTO "_sqlite_migrations" VALUES(8,'opswatch','0008_shown','2026-11-27 10:43:20.585816+00:00');
INSERT INTO "_sqlite_migrations" VALUES(9,'opswatch','0009_outbox_files','2026-11-27 10:43:20.585949+00:00');
CREATE TABLE "alerts" (
   "name" TEXT PRIMARY KEY,
   "definition" TEXT NOT NULL,
   "state" TEXT NOT NULL,
   "since" TEXT,
   "value" REAL,
   "due" TEXT NOT NULL,
   "watch" TEXT NOT NULL
);
INSERT INTO "alerts" VALUES('ingest-spike','/usage today bytes 900000000000000.0 None','inactive','2026-11-27T10:43:21.692+00:00',2325618036.0,'2026-11-27T10:43:20.724+00:00','{"subjects":{"":{"state":"inactive","since":"2026-11-27T10:43:21.692362Z","value":2325618036.0}},"evaluated_at":"2026-11-27T10:43:21.692362Z","quiet":true,"looks":"0"}');
INSERT INTO "alerts" VALUES('second','/usage today bytes 1000.0 None','firing','2026-11-27T10:43:21.692+00:00',2325618036.0,'2026-11-27T10:43:25.000+00:00','{"subjects":{"":{"state":"firing","since":"2026-11-27T10:43:21.692362Z","breach_since":"2026-11-27T10:43:21.692362Z","value":2325618036.0,"peak":2325618036.0}},"evaluated_at":"2026-11-27T10:43:25.691094Z","told":{"":"firing"},"told_at":"2026-11-27T10:43:21.692362Z","incident":"alert:second:20261127T104320Z:first","began_at":"2026-11-27T10:43:21.692362Z","looks":"11"}');
CREATE TABLE "answers" (
   "ticket" TEXT PRIMARY KEY NOT NULL,
   "kept_at" TEXT NOT NULL,
   "user" TEXT NOT NULL,
   "channel" TEXT NOT NULL,
   "text" TEXT NOT NULL,
   "blocks" TEXT NOT NULL
);
CREATE TABLE "budgets" (
   "key" TEXT PRIMARY KEY NOT NULL,
   "asked_at" TEXT NOT NULL,
   "answered_at" TEXT NOT NULL,
   "resets_at" TEXT NOT NULL,
   "requests" INTEGER,
   "bytes" INTEGER
);
INSERT INTO "budgets" VALUES('309b732391aa15238a81e473:usage','2026-11-27T10:43:25.688+00:00','2026-11-27T10:43:25.690+00:00','2026-11-27T10:50:17.690+00:00',498,NULL);
CREATE TABLE "holds" (
   "key" TEXT PRIMARY KEY NOT NULL,
   "until" TEXT NOT NULL,
   "why" TEXT NOT NULL
);
CREATE TABLE "notices" (
   "alert" TEXT NOT NULL,
   "at" TEXT NOT NULL,
   "reason" TEXT NOT NULL,
   "key" TEXT, "ts" TEXT,
   PRIMARY KEY ("alert", "at", "reason")
);
INSERT INTO "notices" VALUES('second','2026-11-27T10:43:21.692+00:00','first','alert:second:20261127T104320Z:first','1795776201.000011');
CREATE TABLE "outbox" (
   "id" INTEGER PRIMARY KEY,
   "key" TEXT NOT NULL,
   "channel" TEXT NOT NULL,
   "text" TEXT NOT NULL,
   "blocks" TEXT NOT NULL,
   "queued_at" TEXT NOT NULL,
   "not_before" TEXT NOT NULL,
   "state" TEXT NOT NULL,
   "claimed_at" TEXT,
   "attempts" INTEGER NOT NULL,
   "ts" TEXT,
   "trouble" TEXT
, "how" TEXT NOT NULL DEFAULT 'post', "about" TEXT);
INSERT INTO "outbox" VALUES(1,'alert:second:20261127T104320Z:first','C0OPS','🔴 second: bytes at 2.33 GB, above 1.00 kB
bytes: 2.33 GB.
Above: 1.00 kB.
Since: 27 Nov 10:43.
Window: 27 Nov 2026 (UTC, so far).','[{"type": "header", "text": {"type": "plain_text", "text": "\ud83d\udd34 second: bytes at 2.33 GB, above 1.00 kB", "emoji": false}}, {"type": "section", "fields": [{"type": "mrkdwn", "text": "*bytes*\n2.33 GB", "verbatim": true}, {"type": "mrkdwn", "text": "*Above*\n1.00 kB", "verbatim": true}, {"type": "mrkdwn", "text": "*Since*\n<!date^1795776201^{date_short_pretty} {time}|27 Nov 10:43 UTC>", "verbatim": true}, {"type": "mrkdwn", "text": "*Window*\n27 Nov 2026 (UTC, so far)", "verbatim": true}]}, {"type": "context", "elements": [{"type": "mrkdwn", "text": "`/usage today` \u00b7 told now, because it has just begun \u00b7 rule of this channel, made 27 Nov 2026 \u00b7 next look about <!date^1795776206^{date_short_pretty} {time}|27 Nov 10:43 UTC>", "verbatim": true}]}, {"type": "actions", "elements": [{"type": "button", "text": {"type": "plain_text", "text": "Acknowledge", "emoji": false}, "action_id": "alert.acknowledge", "value": "second", "style": "primary"}, {"type": "button", "text": {"type": "plain_text", "text": "Show the data", "emoji": false}, "action_id": "ask.0", "value": "/usage today"}, {"type": "button", "text": {"type": "plain_text", "text": "Silence 1 h", "emoji": false}, "action_id": "alert.silence.1h", "value": "second"}, {"type": "button", "text": {"type": "plain_text", "text": "4 h", "emoji": false}, "action_id": "alert.silence.4h", "value": "second"}, {"type": "button", "text": {"type": "plain_text", "text": "until tomorrow", "emoji": false}, "action_id": "alert.silence.tomorrow", "value": "second"}, {"type": "button", "text": {"type": "plain_text", "text": "Edit rule", "emoji": false}, "action_id": "alert.edit", "value": "second"}]}]','2026-11-27T10:43:21.692+00:00','2026-11-27T10:43:21.692+00:00','sent','2026-11-27T10:43:21.693+00:00',0,'1795776201.000011',NULL,'post',NULL);
INSERT INTO "outbox" VALUES(2,'queued-before-upgrade','#ops','Queued before the upgrade','[]','2026-11-21T14:00:00.000+00:00','2026-11-21T14:00:00.000+00:00','pending',NULL,0,NULL,NULL,'post',NULL);
CREATE TABLE "outbox_files" (
   "key" TEXT PRIMARY KEY,
   "content" BLOB NOT NULL
);
CREATE TABLE "questions" (
   "delivery" TEXT PRIMARY KEY NOT NULL,
   "asked_at" TEXT NOT NULL,
   "user" TEXT NOT NULL,
   "channel" TEXT NOT NULL,
   "command" TEXT NOT NULL,
   "text" TEXT NOT NULL,
   "via" TEXT NOT NULL,
   "outcome" TEXT NOT NULL,
   "took_ms" INTEGER
, "shown_ts" TEXT);
INSERT INTO "questions" VALUES('trigger.51A6C41DDD5B','2026-11-27T10:43:20.690+00:00','U0ADA','C0OPS','usage','last 7 days','slash','answered',27,NULL);
INSERT INTO "questions" VALUES('trigger.403491576950','2026-11-27T10:43:20.719+00:00','U0ADA','C0OPS','usage','subscribe last 7 days at 09:00 on weekdays','slash','managed',2,NULL);
INSERT INTO "questions" VALUES('trigger.989A01CFE5FC','2026-11-27T10:43:20.724+00:00','U0ADA','C0OPS','usage','alert today above 900 TB every 15m as ingest-spike','slash','managed',2,NULL);
INSERT INTO "questions" VALUES('trigger.631A774AA1B8','2026-11-27T10:43:20.728+00:00','U0ADA','C0OPS','usage','silence ingest-spike 2h "planned load test"','slash','managed',1,NULL);
INSERT INTO "questions" VALUES('trigger.AB8FD4EA18F9','2026-11-27T10:43:20.732+00:00','U0ADA','C0OPS','usage','alert today above 1 kB every 5s as second','slash','managed',1,NULL);
CREATE TABLE "rules" (
   "number" INTEGER PRIMARY KEY,
   "name" TEXT NOT NULL,
   "command" TEXT NOT NULL,
   "channel" TEXT NOT NULL,
   "rule" TEXT NOT NULL,
   "user" TEXT NOT NULL,
   "made_at" TEXT NOT NULL,
   "ended_at" TEXT,
   "ended_by" TEXT
);
INSERT INTO "rules" VALUES(1,'ingest-spike','usage','C0OPS','{"name":"ingest-spike","line":"/usage today","value":"bytes","channel":"C0OPS","above":900000000000000.0,"below":null,"recover":null,"every":"PT900S","hold":"P0D","keep":"P0D","repeat":null,"no_data":"hold","each":"","origin":"bot.toml"}','U0ADA','2026-11-27T10:43:20.724+00:00',NULL,NULL);
INSERT INTO "rules" VALUES(2,'second','usage','C0OPS','{"name":"second","line":"/usage today","value":"bytes","channel":"C0OPS","above":1000.0,"below":null,"recover":null,"every":"PT5S","hold":"P0D","keep":"P0D","repeat":null,"no_data":"hold","each":"","origin":"bot.toml"}','U0ADA','2026-11-27T10:43:20.733+00:00',NULL,NULL);
CREATE TABLE "runs" (
   "schedule" TEXT,
   "due" TEXT,
   "started_at" TEXT NOT NULL,
   "ended_at" TEXT,
   "outcome" TEXT,
   PRIMARY KEY ("schedule", "due")
);
CREATE TABLE samples (at TEXT NOT NULL, series INTEGER NOT NULL, value REAL, state TEXT NOT NULL, PRIMARY KEY (at, series)) WITHOUT ROWID;
INSERT INTO "samples" VALUES('2026-11-27T10:43:20.724+00:00',1,2325618036.0,'inactive');
INSERT INTO "samples" VALUES('2026-11-27T10:43:20.733+00:00',2,2325618036.0,'firing');
INSERT INTO "samples" VALUES('2026-11-27T10:43:25.000+00:00',2,2325618036.0,'firing');
CREATE TABLE "schedules" (
   "name" TEXT PRIMARY KEY,
   "definition" TEXT NOT NULL,
   "seen_until" TEXT NOT NULL
);
INSERT INTO "schedules" VALUES('subscription 1','0 9 * * mon-fri /usage last 7 days','2026-11-27T10:43:20.720+00:00');
CREATE TABLE "series" (
   "id" INTEGER PRIMARY KEY,
   "name" TEXT NOT NULL,
   "definition" TEXT NOT NULL
);
INSERT INTO "series" VALUES(1,'ingest-spike','/usage today bytes 900000000000000.0 None');
INSERT INTO "series" VALUES(2,'second','/usage today bytes 1000.0 None');
CREATE TABLE "silences" (
   "number" INTEGER PRIMARY KEY,
   "alert" TEXT NOT NULL,
   "start" TEXT NOT NULL,
   "end" TEXT NOT NULL,
   "comment" TEXT,
   "user" TEXT NOT NULL,
   "ended_at" TEXT,
   "ended_by" TEXT
);
INSERT INTO "silences" VALUES(1,'ingest-spike','2026-11-27T10:43:20.729+00:00','2026-11-27T12:43:20.729+00:00','planned load test','U0ADA',NULL,NULL);
CREATE TABLE "spends" (
   "id" INTEGER PRIMARY KEY,
   "key" TEXT NOT NULL,
   "at" TEXT NOT NULL,
   "bytes" INTEGER NOT NULL,
   "settled" INTEGER NOT NULL
);
INSERT INTO "spends" VALUES(1,'309b732391aa15238a81e473:usage','2026-11-27T10:43:20.692+00:00',0,1);
INSERT INTO "spends" VALUES(2,'309b732391aa15238a81e473:usage','2026-11-27T10:43:20.692+00:00',0,1);
INSERT INTO "spends" VALUES(3,'309b732391aa15238a81e473:usage','2026-11-27T10:43:20.692+00:00',0,1);
INSERT INTO "spends" VALUES(4,'309b732391aa15238a81e473:usage','2026-11-27T10:43:21.689+00:00',0,1);
INSERT INTO "spends" VALUES(5,'309b732391aa15238a81e473:usage','2026-11-27T10:43:25.688+00:00',0,1);
CREATE TABLE "subscriptions" (
   "number" INTEGER PRIMARY KEY,
   "channel" TEXT NOT NULL,
   "line" TEXT NOT NULL,
   "cron" TEXT NOT NULL,
   "said" TEXT NOT NULL,
   "user" TEXT NOT NULL,
   "made_at" TEXT NOT NULL,
   "ended_at" TEXT,
   "ended_by" TEXT
);
INSERT INTO "subscriptions" VALUES(1,'C0OPS','/usage last 7 days','0 9 * * mon-fri','at 09:00 on weekdays','U0ADA','2026-11-27T10:43:20.720+00:00',NULL,NULL);
CREATE UNIQUE INDEX "idx__sqlite_migrations_migration_set_name"
    ON "_sqlite_migrations" ("migration_set", "name");
CREATE INDEX "idx_questions_user_asked_at"
    ON "questions" ("user", "asked_at");
CREATE INDEX "idx_spends_key_at"
    ON "spends" ("key", "at");
CREATE UNIQUE INDEX "idx_outbox_key"
    ON "outbox" ("key");
CREATE INDEX "idx_outbox_state_channel"
    ON "outbox" ("state", "channel");
CREATE INDEX "idx_outbox_about"
    ON "outbox" ("about");
CREATE INDEX "idx_silences_alert_end"
    ON "silences" ("alert", "end");
CREATE UNIQUE INDEX "idx_series_name_definition"
    ON "series" ("name", "definition");
COMMIT;
