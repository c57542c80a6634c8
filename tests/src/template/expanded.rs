//! A stack as CloudFormation would see it: SAM expanded, conditions decided, references written as text.
//!
//! After evaluation a reference to a resource is the text `${Id}` and an attribute of one is `${Id.Attribute}`,
//! wherever it came from (`Ref`, `Fn::GetAtt`, `Fn::Sub`, `Fn::Join`), so that two ways to say one thing are equal.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::{Map, Value};

use crate::repository::root;

/// The pseudo parameters of CloudFormation.
const PSEUDO_PARAMETERS: [(&str, &str); 5] = [
    ("AWS::AccountId", "111122223333"),
    ("AWS::Partition", "aws"),
    ("AWS::Region", "eu-central-1"),
    ("AWS::StackName", "under-test"),
    ("AWS::URLSuffix", "amazonaws.com"),
];

/// Properties that give a resource its physical name.
const NAME_PROPERTIES: [&str; 6] =
    ["BucketName", "QueueName", "TopicName", "TableName", "FunctionName", "LogGroupName"];

/// One resource, evaluated.
#[derive(Clone, Debug)]
pub(super) struct Resource {
    pub(super) id: String,
    pub(super) kind: String,
    /// The whole resource: `Properties`, `DeletionPolicy`, …
    pub(super) body: Value,
}

impl Resource {
    /// Returns a property by JSON Pointer; `Null` when it is not there.
    pub(super) fn at(&self, pointer: &str) -> &Value {
        self.body["Properties"].pointer(pointer).unwrap_or(&Value::Null)
    }
}

/// The template under one choice of parameters.
pub(super) struct ExpandedTemplate {
    pub(super) parameters: BTreeMap<String, String>,
    template: Value,
    resources: Vec<Resource>,
}

impl ExpandedTemplate {
    /// Runs the SAM macro as the local deployment does, and decides every condition.
    pub(super) fn expand(chosen: &[(&str, &str)]) -> Self {
        Self::evaluate(written_out(&[], chosen), chosen)
    }

    /// Makes a nested stack, with what this one gives it: a reference to a resource here stays a reference.
    pub(super) fn nested(&self, id: &str) -> Self {
        let outer = self.resource(id);
        assert_eq!(outer.kind, "AWS::CloudFormation::Stack", "{id}");
        let given: Vec<(String, String)> =
            members(outer.at("/Parameters")).map(|(name, value)| (name.clone(), scalar(value))).collect();
        let chosen: Vec<(&str, &str)> =
            given.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let path = scalar(outer.at("/TemplateURL"));
        Self::evaluate(written_out(&["--template", &path], &chosen), &chosen)
    }

    /// The nested stacks of alarms and incidents as one stack, its resources by logical id: the order does not depend
    /// on the file that an alarm is in.
    pub(super) fn alarms(&self) -> Self {
        let ids = self.of_kind("AWS::CloudFormation::Stack").map(|stack| stack.id.as_str());
        let mut parts =
            ids.filter(|id| id.ends_with("Alarms") || *id == "Incidents").map(|id| self.nested(id));
        let mut all = parts.next().expect("a stack of alarms");
        for part in parts {
            all.parameters.extend(part.parameters);
            all.resources.extend(part.resources);
        }
        all.resources.sort_by(|one, other| one.id.cmp(&other.id));
        all
    }

    fn evaluate(template: Value, chosen: &[(&str, &str)]) -> Self {
        let mut parameters: BTreeMap<String, String> = members(&template["Parameters"])
            .filter(|(_, parameter)| !parameter["Default"].is_null())
            .map(|(name, parameter)| (name.clone(), scalar(&parameter["Default"])))
            .collect();
        parameters.extend(chosen.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())));
        let mut stack = Self { parameters, template, resources: Vec::new() };
        let kept = members(&stack.template["Resources"])
            .filter(|(_, body)| body["Condition"].as_str().is_none_or(|name| stack.condition(name)));
        let resources = kept.map(|(id, body)| Resource {
            id: id.clone(),
            kind: body["Type"].as_str().expect("a resource type").to_owned(),
            body: stack.value(body).unwrap_or_default(),
        });
        stack.resources = resources.collect();
        stack
    }

    /// Resources of one type.
    pub(super) fn of_kind<'s>(&'s self, kind: &'s str) -> impl Iterator<Item = &'s Resource> {
        self.resources.iter().filter(move |resource| resource.kind == kind)
    }

    /// Returns the resource with this logical id.
    pub(super) fn resource(&self, id: &str) -> &Resource {
        self.resources.iter().find(|resource| resource.id == id).unwrap_or_else(|| panic!("no resource {id}"))
    }

    /// Returns the resource that a text refers to: by reference, ARN or physical name; whatever follows a `/` is a
    /// part of it.
    pub(super) fn resource_behind(&self, reference: &str) -> Option<&Resource> {
        self.resources.iter().find(|resource| {
            let own = [format!("${{{}}}", resource.id), format!("${{{}.Arn}}", resource.id)];
            let name = NAME_PROPERTIES.iter().find_map(|name| resource.at(&format!("/{name}")).as_str());
            let address = reference.strip_prefix("https://").unwrap_or(reference);
            let tail = address.rsplit(':').next().unwrap_or(address);
            let bucket = tail.split('/').next().unwrap_or(tail);
            own.iter().any(|own| {
                [format!("{own}/"), format!("{own}.execute-api.")]
                    .iter()
                    .any(|part| address.starts_with(part))
                    || tail == own
                    || bucket == own
            }) || name.is_some_and(|name| tail == name || bucket == name || reference == name)
        })
    }

    pub(super) fn declared_parameters(&self) -> impl Iterator<Item = (&String, &Value)> {
        members(&self.template["Parameters"])
    }

    pub(super) fn outputs(&self) -> Vec<(String, String)> {
        let kept = members(&self.template["Outputs"])
            .filter(|(_, output)| output["Condition"].as_str().is_none_or(|name| self.condition(name)));
        kept.map(|(name, output)| (name.clone(), scalar(&self.value(&output["Value"]).unwrap_or_default())))
            .collect()
    }

    pub(super) fn uses_customer_keys(&self) -> bool {
        self.parameters["KeyChoice"] == "CustomerKey"
    }

    fn condition(&self, name: &str) -> bool {
        let definition = &self.template["Conditions"][name];
        assert!(!definition.is_null(), "no condition {name}");
        self.truth(definition)
    }

    fn truth(&self, expression: &Value) -> bool {
        let Some((function, argument)) = single(expression) else {
            panic!("a condition, found {expression}")
        };
        let operands = || argument.as_array().expect("operands").iter();
        match function {
            "Condition" => self.condition(argument.as_str().expect("a condition's name")),
            "Fn::Equals" => {
                let sides: Vec<String> =
                    operands().map(|side| scalar(&self.value(side).unwrap_or_default())).collect();
                sides[0] == sides[1]
            }
            "Fn::Not" => !operands().any(|operand| self.truth(operand)),
            "Fn::And" => operands().all(|operand| self.truth(operand)),
            "Fn::Or" => operands().any(|operand| self.truth(operand)),
            other => panic!("the condition function {other} is not known here"),
        }
    }

    /// Returns a value with everything decided; `None` is `AWS::NoValue`.
    fn value(&self, value: &Value) -> Option<Value> {
        if let Some((function, argument)) = single(value)
            && (function.starts_with("Fn::") || function == "Ref")
        {
            return self.call(function, argument);
        }
        Some(match value {
            Value::Object(object) => {
                let kept =
                    object.iter().filter_map(|(name, member)| Some((name.clone(), self.value(member)?)));
                Value::Object(kept.collect::<Map<_, _>>())
            }
            Value::Array(items) => Value::Array(items.iter().filter_map(|item| self.value(item)).collect()),
            other => other.clone(),
        })
    }

    fn call(&self, function: &str, argument: &Value) -> Option<Value> {
        let items = || argument.as_array().expect("a list of arguments");
        match function {
            "Ref" if argument == "AWS::NoValue" => None,
            "Ref" => {
                let name = argument.as_str().expect("a name");
                let text = self.reference(name);
                let is_list = self.template["Parameters"][name]["Type"] == "CommaDelimitedList";
                Some(if is_list { text.split(',').collect() } else { Value::String(text) })
            }
            "Fn::If" => {
                let [name, then, otherwise] = items().as_slice() else { panic!("three arguments of Fn::If") };
                self.value(if self.condition(name.as_str().expect("a condition")) { then } else { otherwise })
            }
            "Fn::GetAtt" => Some(Value::String(match argument {
                Value::String(dotted) => format!("${{{dotted}}}"),
                _ => format!("${{{}.{}}}", scalar(&items()[0]), scalar(&items()[1])),
            })),
            "Fn::Sub" => Some(Value::String(self.substitute(argument))),
            "Fn::Join" => {
                let parts = self.value(&items()[1])?;
                let parts: Vec<String> = parts.as_array().expect("parts").iter().map(scalar).collect();
                Some(Value::String(parts.join(items()[0].as_str().expect("a separator"))))
            }
            "Fn::Select" => {
                let list = self.value(&items()[1])?;
                list.get(usize::try_from(number(&items()[0])).expect("a place")).cloned()
            }
            "Fn::Split" => {
                let whole = scalar(&self.value(&items()[1])?);
                let parts = whole.split(items()[0].as_str().expect("a separator"));
                Some(parts.map(|part| Value::String(part.to_owned())).collect())
            }
            other => panic!("the function {other} is not known here"),
        }
    }

    fn reference(&self, name: &str) -> String {
        let pseudo =
            PSEUDO_PARAMETERS.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        pseudo.or_else(|| self.parameters.get(name).cloned()).unwrap_or_else(|| format!("${{{name}}}"))
    }

    fn substitute(&self, argument: &Value) -> String {
        let (text, own) = match argument {
            Value::Array(pair) => (scalar(&pair[0]), pair.get(1).cloned().unwrap_or_default()),
            text => (scalar(text), Value::Null),
        };
        let mut pieces = text.split("${");
        let mut result = pieces.next().unwrap_or_default().to_owned();
        for piece in pieces {
            let (name, rest) = piece.split_once('}').expect("a closing brace");
            let value = own.get(name).and_then(|value| self.value(value)).map(|value| scalar(&value));
            result.push_str(&value.unwrap_or_else(|| self.reference(name)));
            result.push_str(rest);
        }
        result
    }
}

/// What `stack.py expand` makes of a template.
fn written_out(options: &[&str], chosen: &[(&str, &str)]) -> Value {
    let mut command = Command::new(root().join(".venv/bin/python"));
    command.arg("infra/local/stack.py").args(options).arg("expand").current_dir(root());
    command.args(chosen.iter().map(|(name, value)| format!("{name}={value}")));
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("run .venv/bin/python ({error}): run `make tools` first"));
    assert!(output.status.success(), "stack.py expand: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("the expanded template is JSON")
}

/// Returns a text or number as text; anything else is empty.
pub(super) fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// Returns a number, also when it came from a parameter and so is text.
pub(super) fn number(value: &Value) -> u64 {
    scalar(value).parse().unwrap_or_else(|_| panic!("a number expected, found {value}"))
}

/// Returns one value or a list of them, as texts.
pub(super) fn list(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().map(scalar).collect(),
        Value::Null => Vec::new(),
        one => vec![scalar(one)],
    }
}

fn members(object: &Value) -> impl Iterator<Item = (&String, &Value)> {
    object.as_object().into_iter().flatten()
}

fn single(value: &Value) -> Option<(&str, &Value)> {
    let object = value.as_object().filter(|object| object.len() == 1)?;
    object.iter().next().map(|(name, argument)| (name.as_str(), argument))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{ExpandedTemplate, scalar};

    #[test]
    fn ways_to_say_one_thing_become_equal() {
        let template = json!({
            "Parameters": {"Stage": {"Default": "dev"}, "Days": {"Default": 30}},
            "Conditions": {"Prod": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}, "Test": {"Fn::Not": [{"Condition": "Prod"}]}},
            "Resources": {
                "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {
                    "BucketName": {"Fn::Sub": "${AWS::StackName}-${Stage}"},
                    "A": {"Fn::GetAtt": ["Bucket", "Arn"]}, "B": {"Fn::Sub": "${Bucket.Arn}"},
                    "C": {"Fn::Join": ["", [{"Fn::GetAtt": "Bucket.Arn"}]]},
                    "Gone": {"Fn::If": ["Prod", "yes", {"Ref": "AWS::NoValue"}]},
                    "Days": {"Fn::If": ["Test", {"Ref": "Days"}, 400]}}},
                "Never": {"Type": "AWS::S3::Bucket", "Condition": "Prod"}},
        });
        let stack = ExpandedTemplate::evaluate(template, &[]);
        assert_eq!(stack.of_kind("AWS::S3::Bucket").count(), 1);
        let bucket = stack.resource("Bucket");
        assert_eq!(["/A", "/B", "/C"].map(|name| scalar(bucket.at(name))), ["${Bucket.Arn}"; 3]);
        assert!(bucket.at("/Gone").is_null());
        assert_eq!(bucket.at("/Days"), "30");
        for reference in
            ["${Bucket}", "${Bucket.Arn}/*", "arn:aws:s3:::under-test-dev", "arn:aws:s3:::under-test-dev/a/*"]
        {
            assert_eq!(
                stack.resource_behind(reference).map(|found| found.id.as_str()),
                Some("Bucket"),
                "{reference}"
            );
        }
        assert!(stack.resource_behind("arn:aws:s3:::another").is_none());
    }
}
