"""From cameras that only let themselves be listened to: one endless answer each, cut into messages."""
