"""What every field of the neighbouring groups means, in one sentence: the part of `descriptions.py` that is about
namespaces and secrets, and about who may do what.
"""

from __future__ import annotations

from service.api.image_descriptions import STRUCT

_REQUIREMENT = {
    "key": "What the requirement is about.",
    "operator": "How the key relates to the values: In, NotIn, Exists or DoesNotExist.",
    "values": "The values; none for Exists and DoesNotExist.",
}
_WHAT = {
    "resourceAttributes": "The access to a resource that is asked about; either this or nonResourceAttributes.",
    "nonResourceAttributes": "The access to a path that is asked about; either this or resourceAttributes.",
}

NAMESPACES: dict[str, dict[str, str]] = {
    "Namespace": {
        STRUCT: "A space for names of image streams. It is there once it was created, or an image stream was put into "
        "it, until it is deleted, with all that is in it.",
        "spec": "Of no use here; kept for clients that send it.",
        "status": "Whether the namespace is in use.",
    },
    "NamespaceSpec": {
        STRUCT: "What is wanted of a namespace.",
        "finalizers": "Not used: the finalizers of a namespace are those in its metadata.",
    },
    "NamespaceStatus": {
        STRUCT: "Whether a namespace is in use.",
        "phase": "Active, or Terminating while something holds back its deletion.",
        "conditions": "Not used.",
    },
    "NamespaceCondition": {
        STRUCT: "Not used: a state of the deletion of a namespace.",
        "type": "What the condition is about.",
        "status": "True, False or Unknown.",
        "lastTransitionTime": "When the status last changed.",
        "reason": "Why, in a word for programs.",
        "message": "Why, in a sentence for people.",
    },
    "NamespaceList": {STRUCT: "Namespaces."},
}

SECRETS: dict[str, dict[str, str]] = {
    "Secret": {
        STRUCT: "Credentials for the registries that images are imported from. Stored encrypted, and never part of the "
        "history.",
        "immutable": "Whether data may never change again; once true, it stays so.",
        "data": "The content: base64 by key.",
        "stringData": "The same as plain text, for writers only: it goes into data, and wins over what is there.",
        "type": "What is in it: kubernetes.io/dockerconfigjson, kubernetes.io/dockercfg or Opaque.",
    },
    "SecretList": {STRUCT: "Secrets."},
}

REVIEWS: dict[str, dict[str, str]] = {
    "UserInfo": {
        STRUCT: "A user, as this server knows them.",
        "username": "The name, by which roles are given.",
        "uid": "What tells the user from others that had the name at other times.",
        "groups": "The groups the user is in, to which roles are given, too.",
        "extra": "Whatever else is known of the user.",
    },
    "SelfSubjectReview": {
        STRUCT: "Who is asking: create one, and read its status.",
        "status": "The answer.",
    },
    "SelfSubjectReviewStatus": {
        STRUCT: "Who is asking.",
        "userInfo": "The user of the request, after impersonation.",
    },
    "FieldSelectorRequirement": {STRUCT: "One requirement of a field selector.", **_REQUIREMENT},
    "LabelSelectorRequirement": {STRUCT: "One requirement of a label selector.", **_REQUIREMENT},
    "FieldSelectorAttributes": {
        STRUCT: "The field selector that narrows the access; roles do not look at it.",
        "rawSelector": "The selector as it stands in a query.",
        "requirements": "The selector in parts.",
    },
    "LabelSelectorAttributes": {
        STRUCT: "The label selector that narrows the access; roles do not look at it.",
        "rawSelector": "The selector as it stands in a query.",
        "requirements": "The selector in parts.",
    },
    "ResourceAttributes": {
        STRUCT: "An access to a resource.",
        "namespace": "Where; empty for the whole cluster, and for what is in no namespace.",
        "verb": "What is to be done, e.g. get, list, watch, create, update, patch, delete; * is everything.",
        "group": "The API group of the resource; * is any.",
        "version": "The version of the group; * is any.",
        "resource": "The resource by its plural name; * is any.",
        "subresource": "A subresource of it; empty for the resource itself.",
        "name": "The object; empty for all of them.",
        "fieldSelector": "Which of the objects, by their fields.",
        "labelSelector": "Which of the objects, by their labels.",
    },
    "NonResourceAttributes": {
        STRUCT: "An access to a path that is no resource.",
        "path": "The path.",
        "verb": "The HTTP method in lower case.",
    },
    "SelfSubjectAccessReviewSpec": {STRUCT: "What the user of the request wants to do.", **_WHAT},
    "SubjectAccessReviewSpec": {
        STRUCT: "What a user wants to do.",
        **_WHAT,
        "user": "The user who is asked about; a user, groups, or both.",
        "groups": "The groups of the user.",
        "extra": "Whatever else is known of the user.",
        "uid": "The uid of the user.",
    },
    "SubjectAccessReviewStatus": {
        STRUCT: "Whether it is allowed.",
        "allowed": "Whether it is allowed.",
        "denied": "Whether it is refused for good; roles only allow, so it never is.",
        "reason": "Why, in words.",
        "evaluationError": "What kept the decision from being complete.",
    },
    "SelfSubjectAccessReview": {
        STRUCT: "May I do this? Create one, and read its status.",
        "spec": "What is asked.",
        "status": "The answer.",
    },
    "SubjectAccessReview": {
        STRUCT: "May they do this? Create one, and read its status.",
        "spec": "Who and what is asked about.",
        "status": "The answer.",
    },
    "LocalSubjectAccessReview": {
        STRUCT: "May they do this in this namespace? Create one, and read its status.",
        "spec": "Who and what is asked about; in the namespace of the request.",
        "status": "The answer.",
    },
    "SelfSubjectRulesReviewSpec": {
        STRUCT: "Where the rules are asked for.",
        "namespace": "The namespace.",
    },
    "ResourceRule": {
        STRUCT: "Accesses to resources that are allowed.",
        "verbs": "What may be done; * is everything.",
        "apiGroups": "In which groups; * is any.",
        "resources": "With which resources; * is any, and r/s the subresource s of r.",
        "resourceNames": "With which objects; all of them if there are none.",
    },
    "NonResourceRule": {
        STRUCT: "Accesses to paths that are allowed.",
        "verbs": "By which methods, in lower case; * is any.",
        "nonResourceURLs": "Which paths; a * at the end stands for any rest.",
    },
    "SubjectRulesReviewStatus": {
        STRUCT: "What is allowed.",
        "resourceRules": "What may be done with resources.",
        "nonResourceRules": "What may be done with other paths.",
        "incomplete": "Whether there may be more than is told.",
        "evaluationError": "What kept the answer from being complete.",
    },
    "SelfSubjectRulesReview": {
        STRUCT: "What may I do? Create one, and read its status.",
        "spec": "Where.",
        "status": "The answer.",
    },
}
