"""What every field of the image types means, in one sentence: the part of `descriptions.py` that is about images.

Keeps: as there. Types are grouped as in `image_v1.py`: images, streams and their tags, imports and layers.
"""

from __future__ import annotations

STRUCT = ""
"""In place of a field: the type as a whole."""

IMAGES: dict[str, dict[str, str]] = {
    "ImageLayer": {
        STRUCT: "One layer of an image.",
        "name": "The digest of the layer.",
        "size": "Its size in bytes, compressed as it is stored.",
        "mediaType": "The media type of the layer's content.",
    },
    "ImageManifest": {
        STRUCT: "One image of a manifest list, for one platform.",
        "digest": "The digest of the image's own manifest.",
        "mediaType": "The media type of that manifest.",
        "manifestSize": "The size of that manifest in bytes.",
        "architecture": "The processor architecture the image is for, e.g. amd64.",
        "os": "The operating system the image is for, e.g. linux.",
        "variant": "The variant of the architecture, e.g. v7 for arm.",
    },
    "SignatureCondition": {
        STRUCT: "What was found out about a signature.",
        "type": "What was asked: Trusted, ForImage, Expired or Revoked.",
        "status": "The answer: True, False or Unknown.",
        "lastProbeTime": "When it was last asked.",
        "lastTransitionTime": "When the answer last changed.",
        "reason": "Why, in a word for programs.",
        "message": "Why, in a sentence for people.",
    },
    "SignatureIssuer": {
        STRUCT: "Who issued the certificate or key a signature was made with.",
        "organization": "The name of the organization.",
        "commonName": "The common name, e.g. a host or a service.",
    },
    "SignatureSubject": {
        STRUCT: "Whose certificate or key a signature was made with.",
        "organization": "The name of the organization.",
        "commonName": "The common name, e.g. a person or a service.",
        "publicKeyID": "The identifier of the public key that checks the signature.",
    },
    "ImageSignature": {
        STRUCT: "A signature that vouches for an image.",
        "type": "The format of the signature, e.g. atomic.",
        "content": "The signature itself, in base64.",
        "conditions": "What was found out about the signature.",
        "imageIdentity": "The name under which the signature knows the image.",
        "signedClaims": "What the signature claims beside the image's digest.",
        "created": "When the signature was made, as it says itself.",
        "issuedBy": "Who issued the signing certificate or key.",
        "issuedTo": "Whose signing certificate or key it is.",
    },
    "Image": {
        STRUCT: "One immutable image, named by the digest of its manifest.",
        "dockerImageReference": "The pull specification by which the image can be fetched.",
        "dockerImageMetadata": "What the image's config says: command, environment, labels, ports.",
        "dockerImageMetadataVersion": "The schema of dockerImageMetadata; 1.0 unless told otherwise.",
        "dockerImageManifest": "The image's manifest, byte for byte.",
        "dockerImageLayers": "The layers, lowest first.",
        "signatures": "The signatures stored with the image.",
        "dockerImageSignatures": "Signatures in the outdated Docker schema 1 form.",
        "dockerImageManifestMediaType": "The media type of the manifest.",
        "dockerImageConfig": "The image's config, byte for byte; empty where the manifest contains it.",
        "dockerImageManifests": "The images of a manifest list, one per platform.",
    },
    "ImageList": {STRUCT: "Images.", "items": "The images."},
}

STREAMS: dict[str, dict[str, str]] = {
    "TagImportPolicy": {
        STRUCT: "How the image of a tag is imported.",
        "insecure": "Whether the registry may be reached without TLS, or without a valid certificate.",
        "scheduled": "Whether the import is repeated from time to time, so that the tag follows its source.",
        "importMode": "Legacy keeps one image of a manifest list, PreserveOriginal the list with all of them.",
    },
    "TagReferencePolicy": {
        STRUCT: "Under which name others are to pull the image of a tag.",
        "type": "Source for where it came from, Local for the registry that belongs to this service.",
    },
    "TagReference": {
        STRUCT: "What a tag is wanted to be.",
        "name": "The name of the tag.",
        "annotations": "Notes kept with the tag.",
        "from": "Where the tag gets its image: an image in a registry, another tag, or an image of a stream.",
        "reference": "Whether the tag only names its source, and no image is imported.",
        "generation": "The generation of the stream in which this tag was last wanted anew; 0 asks for it again.",
        "importPolicy": "How the image is imported.",
        "referencePolicy": "Under which name others pull it.",
    },
    "TagEvent": {
        STRUCT: "One image that a tag has pointed at.",
        "created": "Since when the tag pointed at it.",
        "dockerImageReference": "The pull specification of the image.",
        "image": "The name of the image: the digest of its manifest.",
        "generation": "The generation of the tag's spec that led to it.",
    },
    "TagEventCondition": {
        STRUCT: "How it stands with a tag.",
        "type": "What it is about, e.g. ImportSuccess.",
        "status": "True, False or Unknown.",
        "lastTransitionTime": "When the status last changed.",
        "reason": "Why, in a word for programs.",
        "message": "Why, in a sentence for people.",
        "generation": "The generation of the tag's spec this is about.",
    },
    "NamedTagEventList": {
        STRUCT: "What a tag points at, and what it pointed at before.",
        "tag": "The name of the tag.",
        "items": "The images, newest first.",
        "conditions": "How it stands with the tag.",
    },
    "ImageLookupPolicy": {
        STRUCT: "How names of images are resolved by means of a stream.",
        "local": "Whether workloads of the namespace may use the stream's name in place of an image's.",
    },
    "ImageStreamSpec": {
        STRUCT: "What an image stream is wanted to be.",
        "lookupPolicy": "How names of images are resolved by means of the stream.",
        "dockerImageRepository": "A repository elsewhere whose tags the stream shows. Outdated: use tags.",
        "tags": "The tags that are wanted, each with its source.",
    },
    "ImageStreamStatus": {
        STRUCT: "What an image stream is.",
        "dockerImageRepository": "Where the stream's images can be pulled from.",
        "publicDockerImageRepository": "Where they can be pulled from outside the cluster.",
        "tags": "Every tag with the history of its images.",
    },
    "ImageStream": {
        STRUCT: "A named set of tags, each with the history of the images it has pointed at.",
        "spec": "What the stream is wanted to be.",
        "status": "What the stream is.",
    },
    "ImageStreamList": {STRUCT: "Image streams.", "items": "The image streams."},
    "ImageStreamTag": {
        STRUCT: "A tag of an image stream together with the image it points at now.",
        "tag": "What the tag is wanted to be; null if images were only ever pushed to it.",
        "generation": "The generation of the newest image's event, or of the tag's spec if that is newer.",
        "lookupPolicy": "How names of images are resolved by means of the stream.",
        "conditions": "How it stands with the tag.",
        "image": "The image the tag points at.",
    },
    "ImageStreamTagList": {STRUCT: "Tags with their images.", "items": "The tags."},
    "ImageTag": {
        STRUCT: "A tag of an image stream: what it is wanted to be, what it is, and its whole history.",
        "spec": "What the tag is wanted to be; null if images were only ever pushed to it.",
        "status": "What the tag points at and pointed at; null if it never pointed at anything.",
        "image": "The image the tag points at; null if there is none.",
    },
    "ImageTagList": {STRUCT: "Tags with their histories.", "items": "The tags."},
    "ImageStreamImage": {
        STRUCT: "An image that a tag of the stream has pointed at.",
        "image": "The image.",
    },
    "ImageStreamMapping": {
        STRUCT: "A push: makes a tag of a stream point at an image, and stores the image.",
        "image": "The image.",
        "tag": "The tag that is to point at it.",
    },
}

IMPORTS: dict[str, dict[str, str]] = {
    "ImageLayerData": {
        STRUCT: "What is known of a blob.",
        "size": "Its size in bytes; null if unknown.",
        "mediaType": "The media type of its content.",
    },
    "ImageBlobReferences": {
        STRUCT: "Which blobs an image is made of.",
        "imageMissing": "Whether the image itself is gone, so that its blobs are unknown.",
        "layers": "The digests of its layers, lowest first.",
        "config": "The digest of its config; null if the manifest contains it.",
        "manifests": "The digests of the manifests it lists.",
    },
    "ImageStreamLayers": {
        STRUCT: "Everything a registry needs to know of a stream: its images and their blobs.",
        "blobs": "Every blob by its digest.",
        "images": "Every image by its digest.",
    },
    "ImageImportSpec": {
        STRUCT: "One image to import.",
        "from": "Where the image is; a DockerImage.",
        "to": "The tag that is to point at it; the source's tag if left out.",
        "importPolicy": "How it is imported.",
        "referencePolicy": "Under which name others pull it.",
        "includeManifest": "Whether the answer contains the manifest.",
    },
    "RepositoryImportSpec": {
        STRUCT: "A repository whose tags are to be imported.",
        "from": "Where the repository is; a DockerImage without a tag.",
        "importPolicy": "How its images are imported.",
        "referencePolicy": "Under which names others pull them.",
        "includeManifest": "Whether the answer contains the manifests.",
    },
    "ImageStreamImportSpec": {
        STRUCT: "What is to be imported.",
        "import": "Whether the stream is changed; false only looks.",
        "repository": "A whole repository to import.",
        "images": "Single images to import.",
    },
    "ImageImportStatus": {
        STRUCT: "What became of one image.",
        "status": "Whether it was found.",
        "image": "The image, if it was.",
        "tag": "The tag under which it was found.",
        "manifests": "The images of its manifest list, where that was kept.",
    },
    "RepositoryImportStatus": {
        STRUCT: "What became of a repository.",
        "status": "Whether it could be read.",
        "images": "What became of its images.",
        "additionalTags": "Tags that were there, too, but more than are imported at once.",
    },
    "ImageStreamImportStatus": {
        STRUCT: "What became of an import.",
        "import": "The stream as the import left it.",
        "repository": "What became of the repository.",
        "images": "What became of each image, in the order they were asked for.",
    },
    "ImageStreamImport": {
        STRUCT: "An order to look up images in registries, and to make the tags of a stream point at them.",
        "spec": "What is to be imported.",
        "status": "What became of it.",
    },
}
