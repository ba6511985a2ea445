"""What signals do: commands, the driver that carries them out safely, and controllers."""
