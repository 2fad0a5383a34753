//! What is no template, and what would never end.

use super::*;

#[test]
fn json_with_commas_at_the_end_reads() {
    let text = "{\"Resources\": {\"R\": {\"Type\": \"AWS::CodeCommit::Repository\",\n\t\"Properties\": {\"RepositoryName\": \"r\",},},},}";
    assert_eq!(resource(&reading(text, &[]), "R").name, known("r"));
}

#[test]
fn what_is_no_template_is_named_with_its_line() {
    for (text, part) in [
        (
            "A: 1\n{% if x %}\nResources: {}\n",
            "line 2: looks like a Jinja",
        ),
        (
            "Resources: &a\n  R: {Type: X}\n",
            "anchors, aliases and merge keys",
        ),
        ("Resources:\n  R: *a\n", "anchors, aliases"),
        (
            "Resources:\n  R:\n    Type: a\n  R:\n    Type: b\n",
            "R is already defined (line",
        ),
        (
            "Resources:\n  R:\n   Type: [\n",
            "is not valid YAML or JSON",
        ),
        ("{\"Resources\": {", "is not valid YAML or JSON"),
        ("hello", "it has no Resources"),
        ("", "is empty"),
        (
            "Resources:\n  R: {Properties: {}}\n",
            "line 2: the Type of R must be",
        ),
        (
            "Resources: {R: {Type: A}}\n---\nb: 1\n",
            "a second document",
        ),
    ] {
        let error = refused(text);
        assert!(
            error.contains(part) && error.starts_with("t.yaml"),
            "{text:?}: {error}"
        );
    }
}

#[test]
fn bombs_are_refused() {
    let deep = format!("Resources: {}{}", "[".repeat(200_000), "]".repeat(200_000));
    assert!(refused(&deep).contains("nested more than 100"));
    // Each condition asks twice for the one before: none is decided twice.
    let mut doubling = "Conditions:\n  C0: !Equals [a, a]\n".to_owned();
    for at in 1..40 {
        let before = at - 1;
        doubling.push_str(&format!(
            "  C{at}: !And [{{Condition: C{before}}}, {{Condition: C{before}}}]\n"
        ));
    }
    doubling.push_str("Resources: {R: {Type: 'AWS::CodeCommit::Repository', Condition: C39}}\n");
    assert_eq!(resource(&reading(&doubling, &[]), "R").exists, Exists::Yes);
    // A loop in a loop in a loop of a hundred each.
    let list: Vec<String> = (0..100).map(|at| format!("i{at}")).collect();
    let list = list.join(", ");
    let looping = format!(
        "Resources:\n  Fn::ForEach::A:\n    - A\n    - [{list}]\n    - Fn::ForEach::B:\n        - B\n        - [{list}]\n        - Fn::ForEach::C:\n            - C\n            - [{list}]\n            - 'R${{A}}${{B}}${{C}}': {{Type: 'AWS::CodeCommit::Repository'}}\n"
    );
    assert!(refused(&looping).contains("too much to evaluate"));
    // Each text is ten times the one before.
    let tens = "${X}".repeat(10);
    let mut growing = "'aaaaaaaaaa'".to_owned();
    for _ in 0..9 {
        growing = format!("!Sub ['{tens}', {{X: {growing}}}]");
    }
    let growing = format!(
        "Resources:\n  R: {{Type: 'AWS::CodeCommit::Repository', Properties: {{RepositoryName: {growing}}}}}\n"
    );
    assert!(refused(&growing).contains("too much to evaluate"));
    // Conditions that refer to themselves decide nothing, and end.
    let circle = "Conditions: {A: !Not [{Condition: B}], B: !Or [{Condition: A}, {Condition: A}]}\nResources:\n  R: {Type: 'AWS::CodeCommit::Repository', Condition: A}\n";
    assert!(reading(circle, &[]).after.len() == 1);
}
