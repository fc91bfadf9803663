//! How each component of the shop logs: a few lines at a time, as their kind of program does.
//! One line here is one message there, so a stack trace is many.

use fastrand::Rng;

use super::stamp::Stamp;

/// A way to log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Voice {
    /// nginx access lines.
    Access,
    /// One JSON object a line, with Chinese text.
    Json,
    /// Spring: bracketed level, Java stack traces.
    Java,
    /// key=value.
    Logfmt,
    /// Kubernetes' letters.
    Klog,
    /// Bracketed words in colours.
    Coloured,
    /// Python's logging, with tracebacks.
    Python,
    /// Plain words, in bursts; at times bytes of another encoding.
    Plain,
}

/// How things stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Mood {
    /// Nearly nothing fails.
    Calm,
    /// An error wave: a third fails.
    Wave,
}

/// What a component says at one time.
pub(super) fn speak(voice: Voice, rng: &mut Rng, at: &Stamp, mood: Mood) -> Vec<Vec<u8>> {
    let fails = match mood {
        Mood::Calm => rng.u8(..100) < 2,
        Mood::Wave => rng.u8(..3) == 0,
    };
    let lines = match voice {
        Voice::Access => vec![access(rng, at, fails)],
        Voice::Json => vec![json(rng, at, fails)],
        Voice::Java => java(rng, at, fails),
        Voice::Logfmt => vec![logfmt(rng, at, fails)],
        Voice::Klog => vec![klog(rng, at, fails)],
        Voice::Coloured => vec![coloured(rng, at, fails)],
        Voice::Python => python(rng, at, fails),
        Voice::Plain => return plain(rng, at),
    };
    lines.into_iter().map(String::into_bytes).collect()
}

/// One of a fixed list.
pub(super) fn pick<'a>(rng: &mut Rng, list: &[&'a str]) -> &'a str {
    list.get(rng.usize(..list.len().max(1)))
        .copied()
        .unwrap_or("")
}

fn order(rng: &mut Rng) -> u32 {
    rng.u32(10_000_000..99_999_999)
}

fn trace(rng: &mut Rng) -> String {
    format!("{:016x}", rng.u64(..))
}

fn access(rng: &mut Rng, at: &Stamp, fails: bool) -> String {
    let path = pick(
        rng,
        &[
            "/api/orders",
            "/api/cart",
            "/api/pay",
            "/api/search?q=%E6%89%8B%E6%9C%BA",
            "/api/users/me",
            "/static/app.9f2c.js",
            "/api/recommend",
            "/healthz",
        ],
    );
    let method = pick(rng, &["GET", "GET", "GET", "POST", "PUT"]);
    let status = if fails {
        pick(rng, &["500", "502", "503", "504"])
    } else {
        pick(rng, &["200", "200", "200", "201", "304", "404"])
    };
    let agent = pick(
        rng,
        &[
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",
            "okhttp/4.12.0",
            "kube-probe/1.30",
            "MicroMessenger/8.0.49",
        ],
    );
    format!(
        "10.42.{}.{} - - [{}] \"{method} {path} HTTP/1.1\" {status} {} \"-\" \"{agent}\" {:.3}",
        rng.u8(..4),
        rng.u8(2..250),
        at.access(),
        rng.u32(60..52_000),
        f64::from(rng.u16(1..if fails { 30_000 } else { 400 })) / 1000.0,
    )
}

fn json(rng: &mut Rng, at: &Stamp, fails: bool) -> String {
    let (level, text) = if fails {
        (
            "error",
            pick(
                rng,
                &[
                    "支付回调超时，订单保持待支付",
                    "库存锁定失败: <sku not found>",
                    "下单失败",
                ],
            ),
        )
    } else {
        (
            pick(rng, &["info", "info", "info", "debug", "warn"]),
            pick(
                rng,
                &[
                    "订单已创建",
                    "订单状态更新: 待发货",
                    "优惠券核销成功 🎉",
                    "用户取消订单",
                    "重试第 2 次",
                ],
            ),
        )
    };
    serde_json::json!({
        "time": at.rfc3339_millis(), "level": level, "msg": text, "order_id": order(rng),
        "trace_id": trace(rng), "cost_ms": rng.u16(1..900),
    })
    .to_string()
}

fn java(rng: &mut Rng, at: &Stamp, fails: bool) -> Vec<String> {
    let thread = format!("nio-8080-exec-{}", rng.u8(1..20));
    if !fails {
        let text = pick(
            rng,
            &[
                "渠道 alipay 预下单成功",
                "Reconciliation batch finished",
                "HikariPool-1 - Pool stats (total=10, active=3, idle=7)",
                "Refund accepted",
                "WxPay notify verified",
            ],
        );
        let level = pick(rng, &["INFO ", "INFO ", "DEBUG", "WARN "]);
        return vec![format!(
            "{} {level} 1 --- [{thread}] c.shop.payment.PayService : {text} orderNo={}",
            at.logback(),
            order(rng)
        )];
    }
    vec![
        format!(
            "{} ERROR 1 --- [{thread}] c.shop.payment.PayController : 支付失败 orderNo={}",
            at.logback(),
            order(rng)
        ),
        "java.net.SocketTimeoutException: Read timed out".to_owned(),
        "\tat java.base/java.net.SocketInputStream.socketRead0(Native Method)".to_owned(),
        "\tat com.shop.payment.channel.AlipayClient.execute(AlipayClient.java:118)".to_owned(),
        "\tat com.shop.payment.PayService.pay(PayService.java:74)".to_owned(),
        "\tat com.shop.payment.PayController.create(PayController.java:41)".to_owned(),
        "Caused by: java.io.IOException: connection reset by peer".to_owned(),
        format!("\t... {} common frames omitted", rng.u8(12..60)),
    ]
}

fn logfmt(rng: &mut Rng, at: &Stamp, fails: bool) -> String {
    let sku = rng.u32(100_000..999_999);
    if fails {
        return format!(
            "time={} level=error caller=stock/lock.go:88 msg=\"lock stock failed\" sku={sku} err=\"context deadline exceeded\" retry={}",
            at.rfc3339_millis(),
            rng.u8(1..4)
        );
    }
    let text = pick(
        rng,
        &[
            "stock locked",
            "stock released",
            "cache refreshed",
            "slow query",
            "snapshot written",
        ],
    );
    let level = pick(rng, &["info", "info", "debug", "warn"]);
    format!(
        "time={} level={level} caller=stock/lock.go:{} msg=\"{text}\" sku={sku} qty={} dur={}ms",
        at.rfc3339_millis(),
        rng.u8(20..200),
        rng.u8(1..9),
        rng.u16(1..300)
    )
}

fn klog(rng: &mut Rng, at: &Stamp, fails: bool) -> String {
    let (letter, text) = if fails {
        (
            "E",
            "Failed to renew session lease: etcdserver: request timed out",
        )
    } else {
        (
            pick(rng, &["I", "I", "I", "W"]),
            pick(
                rng,
                &[
                    "Session renewed",
                    "Login succeeded for user",
                    "Token cache hit",
                    "Reflector watch closed: too old resource version",
                ],
            ),
        )
    };
    format!(
        "{letter}{}       1 session.go:{}] {text} uid={}",
        at.klog(),
        rng.u16(40..900),
        rng.u32(1000..99_999)
    )
}

fn coloured(rng: &mut Rng, at: &Stamp, fails: bool) -> String {
    let (colour, word, text) = if fails {
        (31, "ERROR", "shard 3 unassigned: ALLOCATION_FAILED")
    } else {
        match rng.u8(..10) {
            0 => (
                33,
                "WARN",
                "gc overhead, spent [612ms] collecting in the last [1s]",
            ),
            1 | 2 => (36, "DEBUG", "query rewritten: 手机 → (手机 OR phone)"),
            _ => (32, "INFO", "search done"),
        }
    };
    format!(
        "\x1b[90m{}\x1b[0m [\x1b[1;{colour}m{word}\x1b[0m] \x1b[4mindex=goods-v7\x1b[0m {text} hits={} took={}ms",
        at.plain(),
        rng.u16(..5000),
        rng.u16(1..250)
    )
}

fn python(rng: &mut Rng, at: &Stamp, fails: bool) -> Vec<String> {
    if !fails {
        let text = pick(
            rng,
            &[
                "model v12 scored 200 items",
                "feature store lag 1.8s",
                "冷启动用户, 使用热门榜单",
                "batch flushed",
            ],
        );
        let level = pick(rng, &["INFO", "INFO", "DEBUG", "WARNING"]);
        return vec![format!(
            "{} {level:<8} recommender.rank: {text} uid={}",
            at.python(),
            rng.u32(1000..99_999)
        )];
    }
    vec![
        format!("{} ERROR    recommender.rank: 排序失败", at.python()),
        "Traceback (most recent call last):".to_owned(),
        "  File \"/app/recommender/rank.py\", line 64, in score".to_owned(),
        "    features = store.fetch(uid, timeout=0.2)".to_owned(),
        "  File \"/app/recommender/store.py\", line 31, in fetch".to_owned(),
        "    raise FeatureTimeout(uid)".to_owned(),
        format!(
            "recommender.store.FeatureTimeout: {}",
            rng.u32(1000..99_999)
        ),
    ]
}

/// A burst: a job with its progress, all at once. One in eight ends in GBK bytes.
fn plain(rng: &mut Rng, at: &Stamp) -> Vec<Vec<u8>> {
    let job = rng.u16(..);
    let mut lines: Vec<Vec<u8>> = (1..=rng.u8(8..40))
        .map(|n| {
            format!(
                "{} job {job} exported page {n}, {} rows",
                at.plain(),
                rng.u16(100..1000)
            )
            .into_bytes()
        })
        .collect();
    if rng.u8(..8) == 0 {
        // "导出完成" as a program writes it that was never told of UTF-8.
        lines.push(b"\xb5\xbc\xb3\xf6\xcd\xea\xb3\xc9 job done".to_vec());
    } else {
        lines.push(format!("{} job {job} done", at.plain()).into_bytes());
    }
    lines
}
