//! Places in S3, as they are written on the command line.

use std::fmt;

/// A bucket, and how the names of the objects in it begin.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct S3Url {
    /// The bucket.
    pub bucket: String,
    /// The beginning of names, without a slash around it; empty for all.
    pub prefix: String,
    /// Who asks pays for requests and data, where the owner wants that.
    pub requester_pays: bool,
}

impl S3Url {
    /// Reads `s3://BUCKET/PREFIX`.
    pub fn parse(text: &str) -> Option<Self> {
        let path = text.strip_prefix("s3://")?;
        let (bucket, prefix) = path.split_once('/').unwrap_or((path, ""));
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
        let is_bucket = (3..=63).contains(&bucket.len()) && bucket.chars().all(allowed);
        let is_prefix = prefix.len() <= 1024 && !prefix.chars().any(char::is_control);
        (is_bucket && is_prefix).then(|| Self {
            bucket: bucket.to_owned(),
            prefix: prefix.trim_matches('/').to_owned(),
            requester_pays: false,
        })
    }
}

impl fmt::Display for S3Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_in_s3_are_read_as_people_write_them() {
        for (text, expected) in [
            ("s3://cur", Some(("cur", ""))),
            ("s3://my-cur/", Some(("my-cur", ""))),
            ("s3://my-cur/a/b/", Some(("my-cur", "a/b"))),
            ("s3://my-cur//a", Some(("my-cur", "a"))),
            ("s3://", None),
            ("s3://a b/c", None),
            ("s3://cur/a\nb", None),
            ("cur/a", None),
        ] {
            let found = S3Url::parse(text);
            let found = found.as_ref();
            assert_eq!(
                found.map(|url| (url.bucket.as_str(), url.prefix.as_str())),
                expected,
                "{text}"
            );
        }
    }
}
