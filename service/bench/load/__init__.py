"""The clients of a measure, cheap enough not to be what is measured; each job runs in a helper process."""
