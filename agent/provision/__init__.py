"""How does a place for records come to be on the platform?"""
