"""What is each object on the platform: how it is made, found again, compared and taken away?"""
