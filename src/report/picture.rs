//! The picture of an answer, as SVG.

use super::answer::AnswerFormat;

/// For pages and slides.
pub(super) const FORMAT: AnswerFormat = AnswerFormat {
    name: "svg",
    extension: "svg",
    about: "The picture of an answer that has one",
    render: |answer, _| match answer.document.picture() {
        Some(picture) => Ok(picture.file().into()),
        None => Err("a picture shows one chart, and this answer is not one: choose another format"),
    },
};
