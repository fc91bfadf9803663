//! Logging in, and who is asking (protocols.md 3.1).

use serde_json::json;

use super::call::Call;
use super::desk::{Credential, NoEntry};
use super::page::Page;

/// Ten years, which the cookie lives whatever the token does.
const COOKIE_AGE: u32 = 315_360_000;

/// `POST /console/users/login`.
pub(super) fn login(call: &Call<'_>) -> Page {
    let name = call.field("nick_name").unwrap_or_default();
    let password = call.field("password").unwrap_or_default();
    if name.is_empty() {
        return Page::fault(405, 405, "username is missing", "请填写用户名");
    }
    if password.is_empty() {
        return Page::fault(405, 405, "password is missing", "请填写密码");
    }
    let (desk, now) = (&call.rest.desk, call.rest.times.now());
    let fail = |show| Page::fault(400, 400, "authorization fail ", show);
    match desk.enter((&name, &password), now, call.switches.token_lifetime) {
        Ok(token) => {
            let bean = json!({"token": token});
            let cookie = format!("token={token}; Max-Age={COOKIE_AGE}; Path=/");
            Page::envelope("login success", "登录成功", bean, json!([])).with("Set-Cookie", &cookie)
        }
        Err(NoEntry::User) => fail("用户不存在"),
        Err(NoEntry::Password) => fail("密码不正确"),
        Err(NoEntry::Frozen) => fail("密码错误次数过多，请10分钟后再试"),
    }
}

/// By what a request may see the console.
pub(super) fn credential(call: &Call<'_>) -> Credential {
    let (desk, now) = (&call.rest.desk, call.rest.times.now());
    if let Some(value) = call.request.authorization.as_deref() {
        let token = value.split_once(' ').filter(|(scheme, _)| {
            scheme.eq_ignore_ascii_case("GRJWT") || scheme.eq_ignore_ascii_case("jwt")
        });
        if token.is_some_and(|(_, token)| desk.knows(token.trim(), now)) {
            return Credential::Header;
        }
    }
    match call.cookie("token") {
        Some(token) if desk.knows(token, now) => Credential::Cookie,
        Some(_) | None => Credential::None,
    }
}

/// What a request without one gets.
pub(super) fn wanted() -> Page {
    let show = "身份认证信息失败，请登录";
    Page::fault(401, 10405, "authentication failed", show)
}
