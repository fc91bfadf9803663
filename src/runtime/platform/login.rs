//! `deckwatch login` and `logout`: a name and a password become a token, or a token is taken
//! over; it is tried, and stored where only we can read it.

use std::io::{self, BufRead, Write};

use crate::attach::password;
use crate::cli::config::Config;
use crate::cli::contexts::Contexts;
use crate::cli::platform_args::LoginArgs;
use crate::model::context::{Api, Context, Credential};
use crate::model::{Fault, FaultKind, words};
use crate::platform::{Platform, credential, is_exposed, keyring};
use crate::say;
use crate::text::SafeText;
use crate::text::redact::Secret;

/// Logs in; the answer is what to tell.
pub(crate) async fn run(
    args: &LoginArgs,
    contexts: &Contexts,
    config: &Config,
) -> Result<String, Fault> {
    let context = contexts.get(args.name.as_deref())?;
    let name = &context.name;
    let Credential::Stored { name: entry, file } = &context.credential else {
        let what = say!("the login to {name}", "登录 {name}");
        let why = say!(
            "its token comes from elsewhere, as its configuration says",
            "它的令牌由配置中的其他来源提供"
        );
        let next = say!(
            "deckwatch context show {name} tells where from",
            "deckwatch context show {name} 会显示来源"
        );
        return Err(Fault::new(FaultKind::Usage, what, why, next));
    };
    if is_exposed(context) {
        let server = &context.server;
        warn(&say!(
            "{server} is not encrypted: anyone on the way can read the password and the token",
            "{server} 未加密：途中任何人都能读到密码和令牌"
        ));
    }
    let mut platform = Platform::new(context);
    let token = if args.token_stdin {
        let token = password::first_line(io::stdin().lock()).map_err(|error| unreadable(&error))?;
        let token = Secret::new(token.expose().trim());
        if token.is_empty() {
            return Err(unreadable(&io::Error::other(say!(
                "it is empty",
                "内容为空"
            ))));
        }
        token
    } else {
        by_name(args, context, config, &mut platform).await?
    };
    // What does not work is not stored.
    let teams = platform.try_token(&token).await.map_err(|error| Fault {
        next: say!("check the token", "请检查令牌"),
        ..error.fault
    })?;
    let count = teams.len();
    if keyring::keep(entry, &token).await? {
        return Ok(say!(
            "logged in to {name}: {count} teams; the token is in the keyring\n",
            "已登录 {name}：{count} 个团队；令牌存于密钥环\n"
        ));
    }
    credential::store(file, &token)?;
    let place = file.display();
    Ok(say!(
        "logged in to {name}: {count} teams; the token is in {place}, for you alone\n",
        "已登录 {name}：{count} 个团队；令牌存于 {place}，仅您可读\n"
    ))
}

async fn by_name(
    args: &LoginArgs,
    context: &Context,
    config: &Config,
    platform: &mut Platform,
) -> Result<Secret, Fault> {
    let name = &context.name;
    if context.api != Api::Console {
        let what = say!("the login to {name}", "登录 {name}");
        let why = say!("a region's API has no login", "区域 API 没有登录");
        let next = say!(
            "give it the region's token: deckwatch login {name} --token-stdin",
            "请提供区域的令牌：deckwatch login {name} --token-stdin"
        );
        return Err(Fault::new(FaultKind::Usage, what, why, next));
    }
    let of_file = config
        .find(name)
        .and_then(|file| file.user.as_ref())
        .map(|user| user.value.clone());
    let user = match args.user.clone().or(of_file) {
        Some(user) => user,
        None => ask_name(context)?,
    };
    let password = if args.password_stdin {
        password::first_line(io::stdin().lock()).map_err(|error| unreadable(&error))?
    } else {
        let shown = SafeText::of(&user);
        let host = context.server.host_str().unwrap_or("");
        password::ask(
            &say!(
                "password of {shown} at {host}: ",
                "{shown} 在 {host} 的密码："
            ),
            &say!(
                "add --password-stdin, or --token-stdin",
                "请加 --password-stdin 或 --token-stdin"
            ),
        )?
    };
    let login = platform.login(&user, &password).await;
    login.map_err(|error| error.fault)
}

fn unreadable(error: &io::Error) -> Fault {
    let error = words::io_error(error);
    let what = say!("standard input", "标准输入");
    let why = say!("it can't be read ({error})", "无法读取（{error}）");
    let next = say!("write the secret there", "请把密钥写到标准输入");
    Fault::new(FaultKind::Usage, what, why, next)
}

/// Asks for a name on the terminal.
fn ask_name(context: &Context) -> Result<String, Fault> {
    let failed = |error: io::Error| {
        let error = words::io_error(&error);
        let what = say!("the user's name", "用户名");
        let why = say!(
            "there is no terminal to ask on ({error})",
            "没有可以询问的终端（{error}）"
        );
        let next = say!("add --user NAME", "请加 --user 名字");
        Fault::new(FaultKind::Usage, what, why, next)
    };
    let mut tty = std::fs::File::options()
        .read(true)
        .write(true)
        .open("/dev/tty")
        .map_err(failed)?;
    let host = context.server.host_str().unwrap_or("");
    let prompt = say!("user at {host}: ", "{host} 的用户名：");
    tty.write_all(prompt.as_bytes()).map_err(failed)?;
    let mut line = String::new();
    io::BufReader::new(tty)
        .read_line(&mut line)
        .map_err(failed)?;
    let user = line.trim().to_owned();
    if user.is_empty() {
        return Err(failed(io::Error::other(say!("it is empty", "内容为空"))));
    }
    Ok(user)
}

/// One line on standard error.
pub(super) fn warn(text: &str) {
    let line = format!("deckwatch: {}\n", SafeText::of(text));
    // A closed standard error changes nothing.
    drop(io::stderr().lock().write_all(line.as_bytes()));
}

/// Forgets the token of a context.
pub(crate) async fn logout(name: Option<&str>, contexts: &Contexts) -> Result<String, Fault> {
    let context = contexts.get(name)?;
    let name = &context.name;
    let gone = match &context.credential {
        Credential::Stored { name, file } => {
            let kept = keyring::forget(name).await?;
            credential::forget(file)? || kept
        }
        Credential::None | Credential::Given(_) | Credential::File(_) | Credential::Command(_) => {
            false
        }
    };
    Ok(if gone {
        say!(
            "logged out of {name}: the token is removed here\n",
            "已退出 {name}：本机令牌已删除\n"
        )
    } else {
        say!(
            "there was no stored token of {name}\n",
            "没有 {name} 的已存令牌\n"
        )
    })
}
