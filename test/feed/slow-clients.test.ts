// Stalled clients are cut off; slow ones that read are not.
