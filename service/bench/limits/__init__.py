"""What the parts alone can do: the jobs that ours is compared with, each in a helper process."""
