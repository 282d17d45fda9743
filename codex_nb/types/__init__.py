"""The shapes of the wire. Fields that matter are typed, every other field is kept."""
