-- What a version with migrations up to 0012 left behind, in the sandbox: questions, a subscription, two
-- alerts of which one fires, a silence, and a message that was not sent. For the tests of upgrades.
BEGIN TRANSACTION;
CREATE TABLE "_sqlite_migrations" (
   "id" INTEGER PRIMARY KEY,
   "migration_set" TEXT,
   "name" TEXT,
   "applied_at" TEXT
);
INSERT INTO "_sqlite_migrations" VALUES(1,'opswatch','0001_questions','2026-11-27 10:38:54.208592+00:00');
INSERT INTO "_sqlite_migrations" VALUES(2,'opswatch','0002_answers','2026-11-27 10:38:54.208786+00:00');
INSERT INTO "_sqlite_migrations" VALUES(3,'opswatch','0003_budgets','2026-11-27 10:38:54.209128+00:00');
INSERT INTO "_sqlite_migrations" VALUES(4,'opswatch','0004_posts','2026-11-27 10:38:54.209521+00:00');
INSERT INTO "_sqlite_migrations" VALUES(5,'opswatch','0005_subscriptions','2026-11-27 10:38:54.209737+00:00');
INSERT INTO "_sqlite_migrations" VALUES(6,'opswatch','0006_alerts','2026-11-27 10:38:54.209962+00:00');
INSERT INTO "_sqlite_migrations" VALUES(7,'opswatch','0007_incidents','2026-11-27 10:38:54.211038+00:00');
INSERT INTO "_sqlite_migrations" VALUES(8,'opswatch','0008_shown','2026-11-27 10:38:54.211233+00:00');
INSERT INTO "_sqlite_migrations" VALUES(9,'opswatch','0009_outbox_files','2026-11-27 10:38:54.211360+00:00');
INSERT INTO "_sqlite_migrations" VALUES(10,'opswatch','0010_pauses','2026-11-27 10:38:54.211485+00:00');
INSERT INTO "_sqlite_migrations" VALUES(11,'opswatch','0011_channels','2026-11-27 10:38:54.211609+00:00');
INSERT INTO "_sqlite_migrations" VALUES(12,'opswatch','0012_response_urls','2026-11-27 10:38:54.211729+00:00');
CREATE TABLE "alerts" (
   "name" TEXT PRIMARY KEY,
   "definition" TEXT NOT NULL,
   "state" TEXT NOT NULL,
   "since" TEXT,
   "value" REAL,
   "due" TEXT NOT NULL,
   "watch" TEXT NOT NULL
);
INSERT INTO "alerts" VALUES('ingest-spike','/usage today bytes 900000000000000.0 None','inactive','2026-11-27T10:42:10.335+00:00',2322001212.0,'2026-11-27T10:42:10.335+00:00','{"subjects":{"":{"state":"inactive","since":"2026-11-27T10:42:10.335753Z","value":2322001212.0}},"evaluated_at":"2026-11-27T10:42:10.335753Z","quiet":true,"looks":"0"}');
INSERT INTO "alerts" VALUES('second','/usage today bytes 1000.0 None','firing','2026-11-27T10:42:10.344+00:00',2322001212.0,'2026-11-27T10:42:15.000+00:00','{"subjects":{"":{"state":"firing","since":"2026-11-27T10:42:10.344908Z","breach_since":"2026-11-27T10:42:10.344908Z","value":2322001212.0,"peak":2322001212.0}},"evaluated_at":"2026-11-27T10:42:15Z","told":{"":"firing"},"told_at":"2026-11-27T10:42:10.344908Z","incident":"alert:second:20261127T104210Z:first","began_at":"2026-11-27T10:42:10.344908Z","looks":"11"}');
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
INSERT INTO "budgets" VALUES('309b732391aa15238a81e473:usage','2026-11-27T10:42:15.306+00:00','2026-11-27T10:42:15.308+00:00','2026-11-27T10:49:07.308+00:00',498,NULL);
CREATE TABLE "channels" (
   "team" TEXT,
   "name" TEXT,
   "id" TEXT NOT NULL,
   "pinned_at" TEXT NOT NULL,
   PRIMARY KEY ("team", "name")
);
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
INSERT INTO "notices" VALUES('second','2026-11-27T10:42:11.303+00:00','first','alert:second:20261127T104210Z:first','1795776131.000011');
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
INSERT INTO "outbox" VALUES(1,'alert:second:20261127T104210Z:first','C0OPS','🔴 second: bytes at 2.32 GB, above 1.00 kB
bytes: 2.32 GB.
Above: 1.00 kB.
Since: 27 Nov 10:42.
Window: 27 Nov 2026 (UTC, so far).','[{"type": "header", "text": {"type": "plain_text", "text": "\ud83d\udd34 second: bytes at 2.32 GB, above 1.00 kB", "emoji": false}}, {"type": "section", "fields": [{"type": "mrkdwn", "text": "*bytes*\n2.32 GB", "verbatim": true}, {"type": "mrkdwn", "text": "*Above*\n1.00 kB", "verbatim": true}, {"type": "mrkdwn", "text": "*Since*\n<!date^1795776130^{date_short_pretty} {time}|27 Nov 2026 10:42 UTC>", "verbatim": true}, {"type": "mrkdwn", "text": "*Window*\n27 Nov 2026 (UTC, so far)", "verbatim": true}]}, {"type": "context", "elements": [{"type": "mrkdwn", "text": "`/usage today` \u00b7 told now, because it has just begun \u00b7 rule of this channel, made 27 Nov 2026 \u00b7 next look about <!date^1795776135^{date_short_pretty} {time}|27 Nov 2026 10:42 UTC>", "verbatim": true}]}, {"type": "actions", "elements": [{"type": "button", "text": {"type": "plain_text", "text": "Acknowledge", "emoji": false}, "action_id": "alert.acknowledge", "value": "second", "style": "primary"}, {"type": "button", "text": {"type": "plain_text", "text": "Show the data", "emoji": false}, "action_id": "ask.0", "value": "/usage today"}, {"type": "button", "text": {"type": "plain_text", "text": "Silence 1 h", "emoji": false}, "action_id": "alert.silence.1h", "value": "second"}, {"type": "button", "text": {"type": "plain_text", "text": "4 h", "emoji": false}, "action_id": "alert.silence.4h", "value": "second"}, {"type": "button", "text": {"type": "plain_text", "text": "until tomorrow", "emoji": false}, "action_id": "alert.silence.tomorrow", "value": "second"}, {"type": "button", "text": {"type": "plain_text", "text": "Edit rule", "emoji": false}, "action_id": "alert.edit", "value": "second"}]}]','2026-11-27T10:42:11.303+00:00','2026-11-27T10:42:11.303+00:00','sent','2026-11-27T10:42:11.303+00:00',0,'1795776131.000011',NULL,'post',NULL);
INSERT INTO "outbox" VALUES(2,'queued-before-upgrade','#ops','Queued before the upgrade','[]','2026-11-21T14:00:00.000+00:00','2026-11-21T14:00:00.000+00:00','pending',NULL,0,NULL,NULL,'post',NULL);
CREATE TABLE "outbox_files" (
   "key" TEXT PRIMARY KEY,
   "content" BLOB NOT NULL
);
CREATE TABLE "pauses" (
   "schedule" TEXT PRIMARY KEY,
   "paused_at" TEXT NOT NULL
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
INSERT INTO "questions" VALUES('trigger.AC89FCE23AD9','2026-11-27T10:38:54.277+00:00','U0ADA','C0OPS','usage','last 7 days','slash','answered',29,NULL);
INSERT INTO "questions" VALUES('trigger.72B6375E1476','2026-11-27T10:38:54.309+00:00','U0ADA','C0OPS','usage','subscribe last 7 days at 09:00 on weekdays','slash','managed',4,NULL);
INSERT INTO "questions" VALUES('trigger.B9377683B880','2026-11-27T10:38:54.316+00:00','U0ADA','C0OPS','usage','alert last 7 days above 1 GB every 15m as ingest-spike','slash','bad_question',0,NULL);
INSERT INTO "questions" VALUES('trigger.9A407071EBC9','2026-11-27T10:38:54.319+00:00','U0ADA','C0OPS','usage','silence ingest-spike 2h "planned load test"','slash','bad_question',0,NULL);
INSERT INTO "questions" VALUES('trigger.C02E2787250C','2026-11-27T10:38:54.323+00:00','U0ADA','C0OPS','usage','alert last 7 days above 2 GB every 5s as second','slash','bad_question',0,NULL);
INSERT INTO "questions" VALUES('trigger.3213DA3EA06A','2026-11-27T10:42:10.300+00:00','U0ADA','C0OPS','usage','last 7 days','slash','answered',26,NULL);
INSERT INTO "questions" VALUES('trigger.54455D829B21','2026-11-27T10:42:10.329+00:00','U0ADA','C0OPS','usage','subscribe last 7 days at 09:00 on weekdays','slash','managed',3,NULL);
INSERT INTO "questions" VALUES('trigger.292C3BA5CA01','2026-11-27T10:42:10.335+00:00','U0ADA','C0OPS','usage','alert today above 900 TB every 15m as ingest-spike','slash','managed',3,NULL);
INSERT INTO "questions" VALUES('trigger.3A67990212C9','2026-11-27T10:42:10.340+00:00','U0ADA','C0OPS','usage','silence ingest-spike 2h "planned load test"','slash','managed',1,NULL);
INSERT INTO "questions" VALUES('trigger.49FA39BFA17F','2026-11-27T10:42:10.344+00:00','U0ADA','C0OPS','usage','alert today above 1 kB every 5s as second','slash','managed',2,NULL);
CREATE TABLE "response_urls" (
   "delivery" TEXT PRIMARY KEY,
   "url" TEXT NOT NULL,
   "replace_original" INTEGER NOT NULL,
   "thread_ts" TEXT NOT NULL,
   "until" TEXT NOT NULL
);
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
INSERT INTO "rules" VALUES(1,'ingest-spike','usage','C0OPS','{"name":"ingest-spike","line":"/usage today","value":"bytes","channel":"C0OPS","above":900000000000000.0,"below":null,"recover":null,"every":"PT900S","hold":"P0D","keep":"P0D","repeat":null,"no_data":"hold","each":"","origin":"bot.toml"}','U0ADA','2026-11-27T10:42:10.335+00:00',NULL,NULL);
INSERT INTO "rules" VALUES(2,'second','usage','C0OPS','{"name":"second","line":"/usage today","value":"bytes","channel":"C0OPS","above":1000.0,"below":null,"recover":null,"every":"PT5S","hold":"P0D","keep":"P0D","repeat":null,"no_data":"hold","each":"","origin":"bot.toml"}','U0ADA','2026-11-27T10:42:10.344+00:00',NULL,NULL);
CREATE TABLE "runs" (
   "schedule" TEXT,
   "due" TEXT,
   "started_at" TEXT NOT NULL,
   "ended_at" TEXT,
   "outcome" TEXT,
   PRIMARY KEY ("schedule", "due")
);
CREATE TABLE samples (at TEXT NOT NULL, series INTEGER NOT NULL, value REAL, state TEXT NOT NULL, PRIMARY KEY (at, series)) WITHOUT ROWID;
INSERT INTO "samples" VALUES('2026-11-27T10:42:10.335+00:00',1,2322001212.0,'inactive');
INSERT INTO "samples" VALUES('2026-11-27T10:42:10.344+00:00',2,2322001212.0,'firing');
INSERT INTO "samples" VALUES('2026-11-27T10:42:15.000+00:00',2,2322001212.0,'firing');
CREATE TABLE "schedules" (
   "name" TEXT PRIMARY KEY,
   "definition" TEXT NOT NULL,
   "seen_until" TEXT NOT NULL
);
INSERT INTO "schedules" VALUES('subscription 1','0 9 * * mon-fri /usage last 7 days','2026-11-27T10:38:54.311+00:00');
INSERT INTO "schedules" VALUES('subscription 2','0 9 * * mon-fri /usage last 7 days','2026-11-27T10:42:10.330+00:00');
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
INSERT INTO "silences" VALUES(1,'ingest-spike','2026-11-27T10:42:10.340+00:00','2026-11-27T12:42:10.340+00:00','planned load test','U0ADA',NULL,NULL);
CREATE TABLE "spends" (
   "id" INTEGER PRIMARY KEY,
   "key" TEXT NOT NULL,
   "at" TEXT NOT NULL,
   "bytes" INTEGER NOT NULL,
   "settled" INTEGER NOT NULL
);
INSERT INTO "spends" VALUES(1,'309b732391aa15238a81e473:usage','2026-11-27T10:38:54.280+00:00',0,1);
INSERT INTO "spends" VALUES(2,'309b732391aa15238a81e473:usage','2026-11-27T10:38:54.280+00:00',0,1);
INSERT INTO "spends" VALUES(3,'309b732391aa15238a81e473:usage','2026-11-27T10:38:54.280+00:00',0,1);
INSERT INTO "spends" VALUES(4,'309b732391aa15238a81e473:usage','2026-11-27T10:42:10.303+00:00',0,1);
INSERT INTO "spends" VALUES(5,'309b732391aa15238a81e473:usage','2026-11-27T10:42:10.303+00:00',0,1);
INSERT INTO "spends" VALUES(6,'309b732391aa15238a81e473:usage','2026-11-27T10:42:10.303+00:00',0,1);
INSERT INTO "spends" VALUES(7,'309b732391aa15238a81e473:usage','2026-11-27T10:42:11.299+00:00',0,1);
INSERT INTO "spends" VALUES(8,'309b732391aa15238a81e473:usage','2026-11-27T10:42:15.306+00:00',0,1);
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
INSERT INTO "subscriptions" VALUES(1,'C0OPS','/usage last 7 days','0 9 * * mon-fri','at 09:00 on weekdays','U0ADA','2026-11-27T10:38:54.310+00:00',NULL,NULL);
INSERT INTO "subscriptions" VALUES(2,'C0OPS','/usage last 7 days','0 9 * * mon-fri','at 09:00 on weekdays','U0ADA','2026-11-27T10:42:10.330+00:00',NULL,NULL);
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
