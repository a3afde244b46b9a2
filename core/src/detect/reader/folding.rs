//! Which lines are one record: traces of many runtimes, and what must stay apart.

use jiff::Timestamp;

use crate::detect::reader::fields::of;
use crate::detect::reader::record::{MOST_BYTES, MOST_LINES};
use crate::detect::reader::wrap::unwrapped;
use crate::detect::reader::{Reader, one, stamp};
use crate::domain::log::{Level, Stream};

/// Reads lines that are marked: `|` begins a record, `+` goes on with one. All of one record must
/// have the level of its first line.
fn check(marked: &str) {
    let mut reader = Reader::default();
    let mut begun = None;
    for line in marked.lines() {
        let (mark, text) = line.split_at(1);
        let reading = reader.read(Stream::Stdout, text);
        assert_eq!(reading.continues, mark == "+", "{text:?} in\n{marked}");
        if mark == "|" {
            begun = reading.level;
        }
        assert_eq!(reading.level, begun, "{text:?} in\n{marked}");
    }
}

#[test]
fn traces_of_java_are_one_record() {
    // Java behind a line of its own, with causes.
    check(
        "|2026-11-24 03:15:02,123 ERROR [main] a.B: request failed
+java.lang.IllegalStateException: boom
+    at a.B.c(B.java:7)
+    at a.B.main(B.java:3)
+    Suppressed: java.io.IOException: close
+        at a.B.close(B.java:9)
+Caused by: java.net.ConnectException: Connection refused
+    at a.C.d(C.java:1)
+    ... 12 more
|2026-11-24 03:15:03,123 INFO [main] a.B: next",
    );
    // Without one, and next to an ordinary line.
    check(
        "|2026-11-24 03:15:02,123 INFO [main] a.B: ok
|java.lang.IllegalStateException: boom
+    at a.B.c(B.java:7)
+Caused by: java.lang.Error
+    at a.B.c(B.java:7)
|Exception in thread \"main\" java.lang.Error: x
+    at a.B.c(B.java:7)",
    );
}

#[test]
fn traces_of_python() {
    // Python, chained.
    check(
        "|ERROR:root:request failed
+Traceback (most recent call last):
+  File \"a.py\", line 3, in f
+    g()
+KeyError: 'a'
+
+During handling of the above exception, another exception occurred:
+
+Traceback (most recent call last):
+  File \"a.py\", line 5, in <module>
+    f()
+ValueError: bad
|INFO:root:next",
    );
    check(
        "|Traceback (most recent call last):
+  File \"a.py\", line 3, in <module>
+    g()
+    ^^^
+ConnectionRefusedError: [Errno 111] Connection refused
|started again",
    );
}

#[test]
fn dumps_of_go() {
    // Go.
    check(
        "|panic: runtime error: invalid memory address or nil pointer dereference
+[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x47b0f4]
+
+goroutine 1 [running]:
+main.(*T).call(...)
+	/app/main.go:10
+main.main()
+	/app/main.go:14 +0x1d
+
+goroutine 7 [chan receive]:
+github.com/x/y.(*Pool).run(0xc000010000, {0x1, 0x2})
+	/go/pkg/y/pool.go:77 +0x45
+created by github.com/x/y.New in goroutine 1
+	/go/pkg/y/pool.go:30 +0x99
+exit status 2
|2026/11/24 03:15:02 listening",
    );
    check(
        "|2026/11/24 03:15:02 http: panic serving 10.0.0.7:80: boom
+goroutine 7 [running]:
+net/http.(*conn).serve.func1()
+	/usr/local/go/src/net/http/server.go:1 +0x1",
    );
    // Rust.
    check(
        "|thread 'main' panicked at src/main.rs:1:1:
+called `Result::unwrap()` on an `Err` value: x
+stack backtrace:
+   0: rust_begin_unwind
+             at /rustc/5980/library/std/src/panicking.rs:689:5
+   1: app::main
+note: Some details are omitted, run with `RUST_BACKTRACE=full` for a verbose backtrace.
|listening",
    );
}

#[test]
fn errors_of_node() {
    // Node: reported, and uncaught.
    check(
        "|Error: connect ECONNREFUSED 127.0.0.1:5432
+    at TCPConnectWrap.afterConnect [as oncomplete] (node:net:1555:16) {
+  errno: -111,
+  code: 'ECONNREFUSED'
+}
|listening on 80",
    );
    check(
        "|/app/index.js:10
+        throw new Error('x');
+        ^
+
+Error: x
+    at Object.<anonymous> (/app/index.js:10:15)
+
+Node.js v20.1.0
|listening on 80",
    );
    check(
        "|node:internal/process/promises:288
+            triggerUncaughtException(err, true /* fromPromise */);
+            ^
+
+TypeError [ERR_X]: bad
+    at f (/app/index.js:3:1)",
    );
}

#[test]
fn messages_of_dotnet() {
    // .NET: the console's message, and an exception that nobody caught.
    check(
        "|fail: Shop.Api[13]
+      An unhandled exception has occurred.
+      System.InvalidOperationException: boom
+         at Shop.Api.Get() in /src/Api.cs:line 7
|info: Shop.Api[14]
+      Now listening",
    );
    check(
        "|Unhandled exception. System.InvalidOperationException: boom
+ ---> System.Net.Sockets.SocketException (111): Connection refused
+   at Shop.Db.Open() in /src/Db.cs:line 7
+   --- End of inner exception stack trace ---
+   at Shop.Program.Main()
|up",
    );
}

#[test]
fn other_records_of_several_lines() {
    // PostgreSQL says more in lines with headers.
    check(
        "|2026-11-24 03:15:02.123 UTC [77] ERROR:  duplicate key value violates unique constraint
+2026-11-24 03:15:02.123 UTC [77] DETAIL:  Key (id)=(5) already exists.
+2026-11-24 03:15:02.123 UTC [77] STATEMENT:  insert into t
+	values (5)
|2026-11-24 03:15:02.124 UTC [78] LOG:  checkpoint starting",
    );
    // An object over several lines.
    check(
        "|config {
+  a: 1
+}
|ready",
    );
    // Behind what carries lines.
    check(
        "|app-1  | ERROR x
+app-1  |     at a.B.c(B.java:7)
|app-1  | ERROR y",
    );
    check(
        "|2026-11-24T03:15:02.123456789Z stdout F ERROR x
+2026-11-24T03:15:02.123456789Z stdout F     at a.B.c(B.java:7)
|2026-11-24T03:15:02.123456789Z stdout P long line that the runt
+2026-11-24T03:15:02.123456789Z stdout F ime cut
|2026-11-24T03:15:02.123456789Z stdout F next",
    );
}

#[test]
fn lines_that_are_not_a_record_stay_apart() {
    // Every line indented alike.
    check("|  a\n|  b\n|  c\n+    deeper\n|  d");
    // Indented, with headers of their own.
    check("|start\n|  INFO a\n|  INFO b\n|  2026-11-24 03:15:02 c");
    // No trace, no indentation.
    check("|ERROR a failed\n|retrying\n|at last\n|Caused by chance");
    check("|INFO a\n|java.lang.Error: b\n|c");
    // A blank line belongs to a trace only.
    check("|a\n|\n|b");
    check("|}\n|]");
    check(
        r#"|{"level":"error","msg":"a"}
|{"level":"info","msg":"b"}"#,
    );
}

#[test]
fn streams_do_not_mix() {
    let mut reader = Reader::default();
    reader.read(Stream::Stderr, "Traceback (most recent call last):");
    assert!(!reader.read(Stream::Stdout, "request done").continues);
    assert!(reader.read(Stream::Stderr, "  File \"a.py\", line 1, in f").continues);
    let last = reader.read(Stream::Stderr, "ValueError: bad");
    assert!(last.continues);
    assert_eq!(last.level, Some(Level::Error));
}

#[test]
fn a_record_is_bounded() {
    let mut reader = Reader::default();
    let mut longest = 0;
    let mut lines = 0;
    reader.read(Stream::Stdout, "java.lang.StackOverflowError");
    for _ in 0..5000 {
        lines = if reader.read(Stream::Stdout, "    at a.B.c(B.java:7)").continues {
            lines + 1
        } else {
            1
        };
        longest = longest.max(lines);
    }
    assert_eq!(longest, MOST_LINES);
    // A service that indents all its lines after its first one.
    let mut reader = Reader::default();
    let began = (0..5000)
        .filter(|n| {
            !reader.read(Stream::Stdout, if *n == 0 { "start" } else { "  tick" }).continues
        })
        .count();
    assert!(began > 4800, "{began}");
    // Long lines.
    let mut reader = Reader::default();
    let long = format!("    at {}", "x".repeat(MOST_BYTES / 4));
    reader.read(Stream::Stdout, "java.lang.Error: x");
    let went_on = (0..8).map(|_| reader.read(Stream::Stdout, &long).continues).collect::<Vec<_>>();
    assert_eq!(went_on, [true, true, true, false, true, true, false, true]);
}

#[test]
fn what_carried_a_line_comes_off() {
    let cases = [
        ("web-1  | text", "text"),
        ("web    |   text", "  text"),
        ("2026-11-24T03:15:02.123456789Z   text", "  text"),
        ("2026-11-24T03:15:02.123456789Z stderr F text", "text"),
        ("web-1  | 2026-11-24T03:15:02.123456789Z text", "text"),
        (r#"{"log":"a \"b\"\n","stream":"stdout","time":"2026-11-24T03:15:02.1Z"}"#, "a \"b\""),
        (r#"{"log":"a","level":"info"}"#, r#"{"log":"a","level":"info"}"#),
        ("2026-11-24T03:15:02.123Z text", "2026-11-24T03:15:02.123Z text"),
        ("id | name", "id | name"),
        ("INFO  | text", "INFO  | text"),
        ("text", "text"),
    ];
    for (text, expected) in cases {
        assert_eq!(unwrapped(text), expected, "{text}");
    }
}

#[test]
fn stamps_are_moments() {
    let now: Timestamp = "2026-11-25T00:00:00Z".parse().unwrap();
    let cases = [
        ("2026-11-24T03:15:02.5Z x", "2026-11-24T03:15:02.5Z"),
        ("2026-11-24 03:15:02,500 x", "2026-11-24T03:15:02.5Z"),
        ("2026-11-24T03:15:02+02:00 x", "2026-11-24T01:15:02Z"),
        ("2026-11-24T03:15:02-0130 x", "2026-11-24T04:45:02Z"),
        ("[24/Nov/2026:03:15:02 +0100] \"GET / HTTP/1.1\" 200 1", "2026-11-24T02:15:02Z"),
        (
            "1.2.3.4 - - [24/Nov/2026:03:15:02 +0000] \"GET / HTTP/1.1\" 200 1",
            "2026-11-24T03:15:02Z",
        ),
        ("Nov 24 03:15:02 host app[1]: x", "2026-11-24T03:15:02Z"),
        ("Dec 24 03:15:02 host app[1]: of last year", "2025-12-24T03:15:02Z"),
        ("Nov 24, 2026 3:15:02 PM a.B c", "2026-11-24T15:15:02Z"),
        ("[Tue Nov 24 03:15:02 2026] [error] x", "2026-11-24T03:15:02Z"),
        ("Tue, 24 Nov 2026 03:15:02 GMT x", "2026-11-24T03:15:02Z"),
        ("1:M 24 Nov 2026 03:15:02.500 * x", "2026-11-24T03:15:02.5Z"),
        ("26/11/24 03:15:02 INFO x", "2026-11-24T03:15:02Z"),
        ("261124 031502 1 INFO x", "2026-11-24T03:15:02Z"),
        ("20261124-03:15:02:500|a|1|x", "2026-11-24T03:15:02.5Z"),
        ("20261124T031502Z x", "2026-11-24T03:15:02Z"),
        ("11-24 03:15:02.5 1 2 I a: x", "2026-11-24T03:15:02.5Z"),
        ("E1124 03:15:02.500000 1 a.go:1] x", "2026-11-24T03:15:02.5Z"),
        ("03:15:02.500 [main] INFO a.B - x", "2026-11-25T03:15:02.5Z"),
        (
            "- 1795490102 2026.11.24 a 2026-11-24-03.15.02.500000 a RAS KERNEL INFO x",
            "2026-11-24T03:15:02.5Z",
        ),
        (r#"{"ts":1795490102.5,"msg":"x"}"#, "2026-11-24T03:15:02.5Z"),
        (r#"{"time":1795490102500,"msg":"x"}"#, "2026-11-24T03:15:02.5Z"),
        (r#"{"@timestamp":"2026-11-24T03:15:02.5Z","msg":"x"}"#, "2026-11-24T03:15:02.5Z"),
        (r#"{"t":{"$date":"2026-11-24T03:15:02.5Z"},"msg":"x"}"#, "2026-11-24T03:15:02.5Z"),
        ("time=\"2026-11-24T03:15:02Z\" level=info msg=x", "2026-11-24T03:15:02Z"),
        ("<34>1 2026-11-24T03:15:02Z h a 1 - - x", "2026-11-24T03:15:02Z"),
        ("2026-11-24T03:15:02.500000000Z 2020-01-01 00:00:00 x", "2026-11-24T03:15:02.5Z"),
    ];
    for (text, expected) in cases {
        let expected: Timestamp = expected.parse().unwrap();
        assert_eq!(stamp(text, now), Some(expected), "{text}");
    }
    for text in ["x", "", "10.0.0.1:80 x", "12:61:00 x", "2026-13-01 x", "1795490102 rows"] {
        assert_eq!(stamp(text, now), None, "{text}");
    }
}

#[test]
fn fields_have_dotted_keys() {
    let fields = |text: &str| -> Vec<String> {
        of(text, &one(text)).map(|(key, value)| format!("{key}: {value}")).collect()
    };
    assert_eq!(
        fields(
            r#"{"level":"error","http":{"request":{"id":"a\"b"},"status":503},"tags":["x"],"msg":"m"}"#
        ),
        ["level: error", "http.request.id: a\"b", "http.status: 503", "tags: [\"x\"]", "msg: m"]
    );
    assert_eq!(fields("level=warn msg=\"a b\" took=3ms"), ["level: warn", "msg: a b", "took: 3ms"]);
    assert_eq!(
        fields(
            "1.2.3.4 - alice [24/Nov/2026:03:15:02 +0000] \"GET /a?b=1 HTTP/1.1\" 502 12 \"-\" \"curl/8\""
        ),
        [
            "remote: 1.2.3.4",
            "user: alice",
            "time: 24/Nov/2026:03:15:02 +0000",
            "method: GET",
            "path: /a?b=1",
            "protocol: HTTP/1.1",
            "status: 502",
            "bytes: 12",
            "agent: curl/8"
        ]
    );
    assert_eq!(fields("INFO a=1"), [""; 0]);
}
