//! Lines of many logging libraries, each with its level and its message.

use crate::detect::reader::one;
use crate::domain::log::Level;

pub(super) const TRACE: Option<Level> = Some(Level::Trace);
pub(super) const DEBUG: Option<Level> = Some(Level::Debug);
pub(super) const INFO: Option<Level> = Some(Level::Info);
pub(super) const WARN: Option<Level> = Some(Level::Warn);
pub(super) const ERROR: Option<Level> = Some(Level::Error);
pub(super) const FATAL: Option<Level> = Some(Level::Fatal);

pub(super) type Case = (&'static str, Option<Level>, &'static str);

pub(super) fn check(cases: &[Case]) {
    let mut wrong = Vec::new();
    for (text, level, message) in cases {
        let reading = one(text);
        if (reading.level, reading.message(text)) != (*level, *message) {
            wrong.push(format!(
                "{text}\n   got {:?} {:?}\n  want {level:?} {message:?}",
                reading.level,
                reading.message(text)
            ));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

const WORDS_IN_A_MESSAGE_ARE_NO_LEVEL: &[Case] = &[
    ("0 failed, 12 passed", None, "0 failed, 12 passed"),
    ("INFO 0 errors, 0 failed", INFO, "0 errors, 0 failed"),
    ("INFO request failed: error=nil, 0 failed", INFO, "request failed: error=nil, 0 failed"),
    ("ts=1 level=info msg=\"no error\" err=nil", INFO, "ts=1 level=info msg=\"no error\" err=nil"),
    ("GET /error 200", None, "GET /error 200"),
    ("err=nil", None, "err=nil"),
    ("every level of the building", None, "every level of the building"),
    ("processing 12 errors report", None, "processing 12 errors report"),
    ("the server said ERROR to me", None, "the server said ERROR to me"),
    ("2026-11-24 03:15:02 INFO the last ERROR was long ago", INFO, "the last ERROR was long ago"),
    ("2026-11-24 03:15:02 we have seen an ERROR today", None, "we have seen an ERROR today"),
    ("[info] panic: this is a drill", INFO, "panic: this is a drill"),
    (r#"{"level":"info","msg":"ERROR: none","error":null}"#, INFO, "ERROR: none"),
    (r#"{"level":"debug","msg":"level=error"}"#, DEBUG, "level=error"),
    (
        "1.2.3.4 - - [24/Nov/2026:03:15:02 +0000] \"GET /error HTTP/1.1\" 200 12",
        INFO,
        "\"GET /error HTTP/1.1\" 200 12",
    ),
    ("level error reached", None, "level error reached"),
    ("Error handling was improved", None, "Error handling was improved"),
    ("errors: 0", None, "errors: 0"),
    ("ERROR", None, "ERROR"),
    ("", None, ""),
    ("   ", None, ""),
    (
        "*1 connect() failed (111: Connection refused)",
        None,
        "*1 connect() failed (111: Connection refused)",
    ),
];

#[test]
fn words_in_a_message_are_no_level() {
    check(WORDS_IN_A_MESSAGE_ARE_NO_LEVEL);
}

const PLAIN_HEADERS_OF_MANY_LIBRARIES: &[Case] = &[
    ("2026-11-24 03:15:02,123 ERROR [main] boom", ERROR, "boom"),
    ("2026-11-24T03:15:02Z [warn] slow", WARN, "slow"),
    ("[ERROR] x", ERROR, "x"),
    ("ERROR x", ERROR, "x"),
    ("DEBUG| x", DEBUG, "x"),
    ("(warn) slow", WARN, "slow"),
    ("<ERROR> x", ERROR, "x"),
    ("é ERROR x", ERROR, "x"),
    ("[2026-11-24 03:15:02]ERROR boom", ERROR, "boom"),
    ("error: cannot open", ERROR, "error: cannot open"),
    ("error[E0308]: mismatched types", ERROR, "error[E0308]: mismatched types"),
    ("Error: boom", ERROR, "Error: boom"),
    // Python's logging, its usual formats, and what is built on it.
    ("2026-11-24 03:15:02,123 - app.db - WARNING - slow", WARN, "slow"),
    ("2026-11-24 03:15:02,123 app WARNING slow", WARN, "slow"),
    ("WARNING:root:slow", WARN, "slow"),
    ("ERROR:app.db:no connection to db: refused", ERROR, "no connection to db: refused"),
    (
        "[2026-11-24 03:15:02 +0000] [7] [INFO] Booting worker with pid: 7",
        INFO,
        "Booting worker with pid: 7",
    ),
    ("INFO:     Application startup complete.", INFO, "Application startup complete."),
    ("[2026-11-24 03:15:02,123: ERROR/MainProcess] Task x raised", ERROR, "Task x raised"),
    ("2026-11-24 03:15:02.123 | INFO     | __main__:main:10 - done", INFO, "done"),
    (
        "2026-11-24T03:15:02Z [info     ] user logged in   [app] id=1",
        INFO,
        "user logged in   [app] id=1",
    ),
    (
        "[2026-11-24T03:15:02.123+0000] {taskinstance.py:1138} INFO - Dependencies met",
        INFO,
        "Dependencies met",
    ),
    ("2026-11-24 03:15:02,123 INFO spawned: 'app' with pid 7", INFO, "spawned: 'app' with pid 7"),
    // Java: logback, log4j, Spring Boot, Tomcat, JBoss, Quarkus, Kafka, Elasticsearch.
    ("03:15:02.123 [main] INFO com.example.App - started", INFO, "started"),
    ("03:15:02.123 [main] INFO com.example.App -- started", INFO, "started"),
    (
        "2026-11-24 03:15:02.123  INFO 1 --- [           main] c.e.App                        : up",
        INFO,
        "up",
    ),
    (
        "2026-11-24T03:15:02.123Z  WARN 1 --- [shop] [nio-8080-exec-1] [4bf92f-00f067] c.e.App  : slow",
        WARN,
        "slow",
    ),
    (
        "24-Nov-2026 03:15:02.123 INFO [main] org.apache.catalina.startup.Catalina.start Server startup in [77] ms",
        INFO,
        "org.apache.catalina.startup.Catalina.start Server startup in [77] ms",
    ),
    (
        "03:15:02,123 INFO  [org.jboss.as] (Controller Boot Thread) WFLYSRV0025: started",
        INFO,
        "WFLYSRV0025: started",
    ),
    (
        "[2026-11-24 03:15:02,123] INFO [KafkaServer id=0] started (kafka.server.KafkaServer)",
        INFO,
        "started (kafka.server.KafkaServer)",
    ),
    (
        "[2026-11-24T03:15:02,123][INFO ][o.e.n.Node               ] [node-1] started",
        INFO,
        "started",
    ),
    (
        "INFO  [main] 2026-11-24 03:15:02,123 CassandraDaemon.java:123 - Startup complete",
        INFO,
        "Startup complete",
    ),
    (
        "2026-11-24 03:15:02,123 - INFO  [QuorumPeer[myid=1]/0.0.0.0:2181:Leader@774] - Timed out: 3200",
        INFO,
        "Timed out: 3200",
    ),
    ("2026-11-24 03:15:02,123 INFO [main] org.example.Server: listening", INFO, "listening"),
    (
        "26/11/24 03:15:02 INFO storage.BlockManager: Found block rdd_2_3 locally",
        INFO,
        "Found block rdd_2_3 locally",
    ),
    ("261124 031502 148 INFO dfs.Node$Responder: Block 1 terminating", INFO, "Block 1 terminating"),
    ("SEVERE: boom", ERROR, "boom"),
    ("2026-11-24 03:15:02.123+0000 [id=1]\tINFO\thudson.WebAppMain#init: up", INFO, "up"),
    // Go: log, zap, glog, klog, zerolog, hclog, etcd.
    ("2026/11/24 03:15:02 listening on :8080", None, "listening on :8080"),
    ("2026/11/24 03:15:02 main.go:45: listening", None, "listening"),
    (
        "2026/11/24 03:15:02 http: TLS handshake error from 10.0.0.1:1: EOF",
        None,
        "http: TLS handshake error from 10.0.0.1:1: EOF",
    ),
    (
        "2026-11-24T03:15:02.123Z\tERROR\tserver/main.go:45\tcannot bind\t{\"port\": 1}",
        ERROR,
        "cannot bind\t{\"port\": 1}",
    ),
    ("2026-11-24T03:15:02.123Z    ERROR    server/main.go:45    cannot bind", ERROR, "cannot bind"),
    ("E1124 03:15:02.123456       1 a.go:12] boom", ERROR, "boom"),
    ("W1124 03:15:02.1 1 a.go:1] boom", WARN, "boom"),
    ("I20261124 03:15:02.123456 1 a.cc:1] boom", INFO, "boom"),
    ("3:15AM ERR cannot bind port=80", ERROR, "cannot bind port=80"),
    ("2026-11-24T03:15:02Z ERR cannot bind port=80", ERROR, "cannot bind port=80"),
    (
        "2026-11-24T03:15:02.123Z [INFO]  agent: Started HTTP server",
        INFO,
        "agent: Started HTTP server",
    ),
    ("2026-11-24 03:15:02.123456 I | etcdserver: published", INFO, "etcdserver: published"),
    // Rust: env_logger, tracing.
    ("[2026-11-24T03:15:02Z INFO  my_crate::module] listening", INFO, "listening"),
    (
        "2026-11-24T03:15:02.123456Z  INFO my_crate::module: listening port=80",
        INFO,
        "listening port=80",
    ),
    (
        "2026-11-24T03:15:02.123456Z  WARN request{method=GET uri=/}: my_crate::api: slow",
        WARN,
        "slow",
    ),
    // .NET: Serilog, the console; PHP; Ruby.
    ("[03:15:02 ERR] boom", ERROR, "boom"),
    ("fail: Shop.Api[13]", ERROR, "fail: Shop.Api[13]"),
    ("[2026-11-24 03:15:02] production.ERROR: boom {\"x\":1} []", ERROR, "boom {\"x\":1} []"),
    ("[24-Nov-2026 03:15:02] NOTICE: fpm is running, pid 1", INFO, "fpm is running, pid 1"),
    (
        "[24-Nov-2026 03:15:02 UTC] PHP Warning:  Undefined variable $x in /a.php on line 3",
        WARN,
        "PHP Warning:  Undefined variable $x in /a.php on line 3",
    ),
    (
        "PHP Fatal error:  Uncaught Error: x in /a.php:3",
        ERROR,
        "PHP Fatal error:  Uncaught Error: x in /a.php:3",
    ),
    ("I, [2026-11-24T03:15:02.123456 #7]  INFO -- : up", INFO, "up"),
    // C++, and systems that are no containers.
    ("2026.11.24 03:15:02.123456 [ 1 ] {a1-b2} <Error> Application: boom", ERROR, "boom"),
    ("11-24 03:15:02.811  1702  2395 D WindowManager: drawing", DEBUG, "drawing"),
    ("11-24 03:15:02.811  1702  2395 E vold: no such device", ERROR, "no such device"),
    (
        "2026-11-24 03:15:02, Info                  CBS    Loaded the stack",
        INFO,
        "Loaded the stack",
    ),
    (
        "[11.24 03:15:02] agent.exe *64 - proxy.example.com:80 open through proxy",
        None,
        "proxy.example.com:80 open through proxy",
    ),
    ("20261124-3:15:2:60|Step_SC|30002312|onChanged 3579", None, "onChanged 3579"),
    (
        "4711 node-7 hw.unit state.unavailable 1777804742 1 Component is in state 3",
        None,
        "Component is in state 3",
    ),
    (
        "- 1777804742 2026.11.24 dn228 Nov 24 03:15:02 dn228/dn228 crond(pam_unix)[77]: session closed",
        None,
        "session closed",
    ),
    (
        "- 1777804742 2026.11.24 R02-M1 2026-11-24-03.15.02.675872 R02-M1 RAS KERNEL INFO 12 errors corrected",
        INFO,
        "12 errors corrected",
    ),
    (
        "api.log.1.2026-11-24_03:15:02 2026-11-24 03:15:00.008 25746 INFO cloud.compute.server [req-38101a0b 113d3a99 - - -] 10.0.0.7 \"GET /v2/x HTTP/1.1\" status: 200 len: 1893",
        INFO,
        "10.0.0.7 \"GET /v2/x HTTP/1.1\" status: 200 len: 1893",
    ),
    (
        "2026-11-24 03:15:00.008 25746 INFO cloud.compute [-] [instance: b9000564-fe1a] VM Started",
        INFO,
        "[instance: b9000564-fe1a] VM Started",
    ),
    ("[Tue Nov 24 03:15:02 2026] [notice] workerEnv.init() ok", INFO, "workerEnv.init() ok"),
    (
        "[Tue Nov 24 03:15:02.123456 2026] [core:error] [pid 7:tid 8] [client 10.0.0.7:80] AH00037: no",
        ERROR,
        "[client 10.0.0.7:80] AH00037: no",
    ),
    (
        "[2026-11-24 03:15:02.123][1][warning][main] [source/server/server.cc:404] slow",
        WARN,
        "slow",
    ),
];

#[test]
fn plain_headers_of_many_libraries() {
    check(PLAIN_HEADERS_OF_MANY_LIBRARIES);
}
