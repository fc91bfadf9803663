use super::*;

#[test]
fn a_question_that_is_printed_shows_no_secret() {
    let url = "http://user:S3cret@host/p?token=S3cret".parse().unwrap();
    let mut ask = Ask::get(&url);
    ask.body = Some(("application/json", b"{\"password\":\"S3cret\"}".to_vec()));
    let secret = HeaderValue::from_static("S3cret");
    ask.headers.push((hyper::header::AUTHORIZATION, secret));
    let shown = format!("{ask:?}");
    assert!(shown.starts_with("GET http://"), "{shown}");
    assert!(!shown.contains("S3cret"), "{shown}");
    let bytes = format!("{:?}", b"S3cret");
    assert!(!shown.contains(bytes.trim_matches(['[', ']'])), "{shown}");
}
