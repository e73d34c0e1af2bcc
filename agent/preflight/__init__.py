"""What will the platform say of these records? Asked before any of them is sent."""
